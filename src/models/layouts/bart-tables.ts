import { firstThere } from './encoder-decoder.js';
import type { HasTensor } from '../family.js';

/** The names of the tables of tokens, in full. */
export interface BartTables {
  readonly source: { readonly name: string; readonly vocab: number };
  readonly target: { readonly name: string; readonly vocab: number };
  readonly unembedding: string;
}

/** A bare model is saved without `model.`. */
export const bartPrefix = (has: HasTensor): string =>
  has('encoder.layers.0.fc1.weight') && !has('model.encoder.layers.0.fc1.weight') ? '' : 'model.';

/** The names under which an embedding may stand. */
export const embeddingNames = (
  prefix: string,
): { readonly shared: string; readonly encoder: string; readonly decoder: string } => ({
  shared: `${prefix}shared.weight`,
  encoder: `${prefix}encoder.embed_tokens.weight`,
  decoder: `${prefix}decoder.embed_tokens.weight`,
});

export const headName = 'lm_head.weight';

/** One table for all, under any of its names; where `tied` is false, three. */
export const bartTables = (
  has: HasTensor,
  { prefix, vocab, tied }: { readonly prefix: string; readonly vocab: number; readonly tied: boolean },
): BartTables => {
  const { shared, encoder, decoder } = embeddingNames(prefix);
  const one = firstThere(has, [shared, decoder, encoder, headName]);
  const [source, target] = tied ? [one, one] : [firstThere(has, [encoder, shared]), firstThere(has, [decoder, shared])];
  return { source: { name: source, vocab }, target: { name: target, vocab }, unembedding: tied ? one : headName };
};
