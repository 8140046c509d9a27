import type { GgufMetadata } from './gguf.js';

/**
 * The id of a special token.
 * @param role as GGUF calls it: `bos`, `eot`, `unknown`
 * @returns undefined where the file names none, or one outside the vocabulary, as -1 is
 */
export const specialId = (metadata: GgufMetadata, role: string, vocab: number): number | undefined => {
  const id = metadata.get(`tokenizer.ggml.${role}_token_id`);
  return typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < vocab ? id : undefined;
};
