import { FrozenPart, type Variant } from '../../engine/index.js';
import { carried } from '../../graph/index.js';
import { float32, type Tensor } from '../../tensor/index.js';
import { scoresSite } from './scores-site.js';
import type { OpenModel } from '../open-model.js';
import type { AttentionLayer } from './head-places.js';

type Weights = Pick<Variant, 'weights'>;

/** Values of a layer's heads, as a function of the stream into it. [1, row, model] -> [1, row, kvHead, headDim] */
export const valuePart = (model: OpenModel, variant: Weights, { instance: { segment }, id }: AttentionLayer) =>
  FrozenPart.open(model, variant, { segment, from: `${id}.resid_pre`, to: `${id}.attn.v` });

/** What a layer's heads write, as a function of what they mixed. [1, row, head, headDim] -> [1, row, model] */
export const outputPart = (model: OpenModel, variant: Weights, { instance: { segment }, id }: AttentionLayer) =>
  FrozenPart.open(model, variant, { segment, from: `${id}.attn.z`, to: `${id}.attn_out` });

/** Every word's score, as a function of the stream at the end. [1, row, model] -> [1, row, vocab] */
export const scorePart = (model: OpenModel, variant: Weights) => {
  const segment = scoresSite(model.program);
  return FrozenPart.open(model, variant, { segment, from: carried, to: 'logits' });
};

/** Unit vectors as rows: those of `[from, to)` among `size`. */
export const unitRows = (size: number, [from, to]: readonly [number, number]): Float32Array => {
  const data = new Float32Array((to - from) * size);
  for (let i = from; i < to; i++) data[(i - from) * size + i] = 1;
  return data;
};

/**
 * The output matrices of all heads, folded with the norm behind where there is one: a row for each of their numbers.
 * @returns [head · headDim, model]
 */
export const outputRows = async (out: FrozenPart, heads: number, headDim: number): Promise<Tensor<'float32'>> => {
  const count = heads * headDim;
  const rows = await out.linear(float32([1, count, heads, headDim], unitRows(count, [0, count])));
  return { ...rows, shape: rows.shape.slice(1) };
};
