import type { HeadMatrices, Matrix } from '../../analyses/circuits/index.js';
import { FrozenPart, type PartPlace, type Variant } from '../../engine/index.js';
import { float32, type Tensor } from '../../tensor/index.js';
import type { OpenModel } from '../open-model.js';
import { kvHeadOf, type AttentionLayer } from './head-places.js';
import { outputPart, outputRows, unitRows } from './layer-parts.js';

type Weights = Pick<Variant, 'weights'>;

/** What queries and keys are compared by, before positions are turned in: after their norm where there is one. */
export const comparedSite = ({ instance, id }: AttentionLayer, of: 'q' | 'k'): string => {
  const normed = `${id}.attn.${of}_normed`;
  return instance.segment.graph.sites.some((s) => s.name === normed) ? normed : `${id}.attn.${of}`;
};

/** What one part makes of each direction of the stream. [model, head, headDim] */
const readBy = async (model: OpenModel, variant: Weights, place: PartPlace): Promise<Tensor<'float32'>> => {
  const { modelDim } = model.program.facts;
  const part = await FrozenPart.open(model, variant, place);
  try {
    const made = await part.linear(float32([1, modelDim, modelDim], unitRows(modelDim, [0, modelDim])));
    return { ...made, shape: made.shape.slice(1) };
  } finally {
    await part.dispose();
  }
};

/** The columns of one head. [model, head, headDim] -> [model, headDim] */
const ofHead = ({ shape, data }: Tensor<'float32'>, head: number): Matrix => {
  const [rows = 0, heads = 1, columns = 0] = shape;
  const own = new Float32Array(rows * columns);
  for (let r = 0; r < rows; r++)
    own.set(data.subarray((r * heads + head) * columns, (r * heads + head + 1) * columns), r * columns);
  return { rows, columns, data: own };
};

const ones = (size: number): Tensor<'float32'> => float32([1, 1, size], new Float32Array(size).fill(1));

/** Do the model's norms take the mean away, so that nobody reads it? */
export const takesMean = async (
  model: OpenModel,
  variant: Weights,
  { instance: { segment }, id }: AttentionLayer,
): Promise<boolean> => {
  const part = await FrozenPart.open(model, variant, { segment, from: `${id}.resid_pre`, to: `${id}.attn.v` });
  try {
    const made = await part.linear(ones(model.program.facts.modelDim));
    return made.data.every((x) => Math.abs(x) < 1e-4);
  } finally {
    await part.dispose();
  }
};

/** Rows less their mean. */
const centred = ({ rows, columns, data }: Matrix): Matrix => {
  const made = Float32Array.from(data);
  for (let r = 0; r < rows; r++) {
    const row = made.subarray(r * columns, (r + 1) * columns);
    const mean = row.reduce((sum, x) => sum + x, 0) / columns;
    row.forEach((x, i) => (row[i] = x - mean));
  }
  return { rows, columns, data: made };
};

/**
 * The matrices of a layer's heads, gains of norms folded in, and where norms take the mean away it is not written.
 * @throws EngineError ENGINE_FAILED
 */
export const headWeights = async (
  model: OpenModel,
  variant: Weights,
  layer: AttentionLayer,
): Promise<readonly HeadMatrices[]> => {
  const {
    instance: { segment },
    id,
    heads,
    headDim,
  } = layer;
  const from = `${id}.resid_pre`;
  const read = (to: string): Promise<Tensor<'float32'>> => readBy(model, variant, { segment, from, to });
  const [q, k, v] = [
    await read(comparedSite(layer, 'q')),
    await read(comparedSite(layer, 'k')),
    await read(`${id}.attn.v`),
  ];
  const out = await outputPart(model, variant, layer);
  const rows = await outputRows(out, heads, headDim).finally(() => out.dispose());
  const mean = await takesMean(model, variant, layer);
  const width = rows.shape[1] ?? 0;
  return Array.from({ length: heads }, (_, h) => {
    const o = { rows: headDim, columns: width, data: rows.data.slice(h * headDim * width, (h + 1) * headDim * width) };
    const kv = kvHeadOf(layer, h);
    return { q: ofHead(q, h), k: ofHead(k, kv), v: ofHead(v, kv), o: mean ? centred(o) : o };
  });
};
