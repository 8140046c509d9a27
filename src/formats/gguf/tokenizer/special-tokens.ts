import type { JsonObject } from '../../../base/index.js';
import type { GgmlVocabulary } from './ggml-vocabulary.js';
import { vocabularyFault, type GgufMetadata } from './metadata.js';

/** Which spellings swallow the spaces beside them. */
interface Stripping {
  readonly left: (token: string) => boolean;
  readonly right: (token: string) => boolean;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const keepsSpaces = ['<unk>', '<s>', '<|endoftext|>'];

/** The file does not say it: it is known of some models. @source llama.cpp src/llama-vocab.cpp, token attributes */
const strippingOf = (metadata: GgufMetadata): Stripping => {
  const pre = text(metadata.get('tokenizer.ggml.pre'));
  const architecture = text(metadata.get('general.architecture'));
  const name = text(metadata.get('general.name')).toLowerCase();
  const never = (): boolean => false;
  if (/jina-v2-(de|es|code)/.test(pre) || /nomic-bert-moe|jina-bert-v3/.test(architecture))
    return { left: (token) => token === '<mask>', right: never };
  if (/phi-?3/.test(name)) return { left: never, right: (token) => !keepsSpaces.includes(token) };
  if (name.includes('modern-bert')) return { left: (token) => token === '[MASK]', right: never };
  return { left: never, right: never };
};

/** Section `added_tokens`: spellings that are found in a text before anything else. */
export const addedTokens = (vocabulary: GgmlVocabulary, metadata: GgufMetadata): readonly JsonObject[] => {
  const stripping = strippingOf(metadata);
  return vocabulary.tokens.flatMap((content, id) => {
    const kind = vocabulary.kinds[id];
    if (kind !== 'control' && kind !== 'userDefined' && kind !== 'unknown') return [];
    const special = kind !== 'userDefined';
    const strip = { lstrip: stripping.left(content), rstrip: special && stripping.right(content) };
    return [{ id, content, special, normalized: false, single_word: false, ...strip }];
  });
};

/**
 * Section `post_processor`: what stands before and behind a prompt.
 * @throws ModelError TOKENIZER_INVALID where a token is asked for that the vocabulary lacks
 */
export const template = (
  { tokens }: GgmlVocabulary,
  before: { readonly wanted: boolean; readonly id: number | undefined; readonly name: string },
  behind: { readonly wanted: boolean; readonly id: number | undefined; readonly name: string },
): JsonObject | null => {
  const used: Record<string, JsonObject> = {};
  const place = ({ wanted, id, name }: typeof before, type_id: number): readonly JsonObject[] => {
    if (!wanted) return [];
    const token = id === undefined ? undefined : tokens[id];
    if (token === undefined) throw vocabularyFault(`prompts need a ${name} token, and it has none`);
    used[token] = { id: token, ids: [id ?? 0], tokens: [token] };
    return [{ SpecialToken: { id: token, type_id } }];
  };
  const around = (sequence: 'A' | 'B', type_id: number, first: boolean): readonly JsonObject[] => [
    ...(first ? place(before, type_id) : []),
    { Sequence: { id: sequence, type_id } },
    ...place(behind, type_id),
  ];
  const single = around('A', 0, true);
  if (single.length === 1) return null;
  return { type: 'TemplateProcessing', single, pair: [...single, ...around('B', 1, false)], special_tokens: used };
};
