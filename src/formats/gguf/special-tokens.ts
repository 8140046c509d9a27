import type { ChatTemplate } from '../chat.js';
import type { TokenRole } from '../tokenizer.js';
import type { GgufMetadata } from './gguf.js';
import { specialId } from './special-id.js';

/** How GGUF calls the roles of special tokens; the converter misspells the separator. */
const roleKeys: readonly (readonly [TokenRole, string])[] = [
  ['bos', 'bos'],
  ['eos', 'eos'],
  ['unk', 'unknown'],
  ['sep', 'seperator'],
  ['pad', 'padding'],
  ['cls', 'cls'],
  ['mask', 'mask'],
];

/** The special tokens that a file names, by role. */
export const tokenRoles = (metadata: GgufMetadata, vocab: number): ReadonlyMap<TokenRole, number> =>
  new Map(
    roleKeys.flatMap(([role, key]) => {
      const id = specialId(metadata, key, vocab);
      return id === undefined ? [] : [[role, id] as const];
    }),
  );

/** The chat template of a file, and how its special tokens are spelt; undefined where it has none. */
export const chatTemplate = (
  metadata: GgufMetadata,
  roles: ReadonlyMap<TokenRole, number>,
): ChatTemplate | undefined => {
  const source = metadata.get('tokenizer.chat_template');
  if (typeof source !== 'string') return undefined;
  const texts = metadata.get('tokenizer.ggml.tokens');
  const spelt = [...roles].flatMap(([role, id]) => {
    const text = Array.isArray(texts) ? (texts[id] as unknown) : undefined;
    return typeof text === 'string' ? [[`${role}_token`, text] as const] : [];
  });
  return { source, tokens: Object.fromEntries(spelt) };
};
