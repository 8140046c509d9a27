import { float64, sizeOf, stridesOf, type Tensor } from './tensor.js';

/** `absmax`: the greatest distance from 0. `norm`: the square root of the sum of squares. */
export type ReduceBy = 'mean' | 'sum' | 'min' | 'max' | 'absmax' | 'norm';

interface Rule {
  readonly start: number;
  readonly step: (sum: number, x: number) => number;
  readonly end?: (sum: number, count: number) => number;
}

const rules: Readonly<Record<ReduceBy, Rule>> = {
  mean: { start: 0, step: (sum, x) => sum + x, end: (sum, count) => sum / count },
  sum: { start: 0, step: (sum, x) => sum + x },
  min: { start: Infinity, step: Math.min },
  max: { start: -Infinity, step: Math.max },
  absmax: { start: 0, step: (sum, x) => Math.max(sum, Math.abs(x)) },
  norm: { start: 0, step: (sum, x) => sum + x * x, end: Math.sqrt },
};

/**
 * One number in place of all along some axes, which are gone from the result. NaN and infinity spread as in arithmetic;
 * nothing reduced gives the empty sum, and NaN for a mean.
 * @returns float64, accumulated as such
 */
export const reduce = (tensor: Tensor, over: readonly number[], by: ReduceBy): Tensor<'float64'> => {
  const gone = new Set(over);
  const kept = tensor.shape.flatMap((_, a) => (gone.has(a) ? [] : [a]));
  const shape = kept.map((a) => tensor.shape[a] ?? 1);
  const to = stridesOf(shape);
  const [strides, stepOf] = [stridesOf(tensor.shape), new Array<number>(tensor.shape.length).fill(0)];
  kept.forEach((a, i) => (stepOf[a] = to[i] ?? 0));
  const { start, step, end } = rules[by];
  const out = new Float64Array(sizeOf(shape)).fill(start);
  for (let offset = 0; offset < tensor.data.length; offset++) {
    let at = 0;
    for (const a of kept) at += (Math.floor(offset / (strides[a] ?? 1)) % (tensor.shape[a] ?? 1)) * (stepOf[a] ?? 0);
    out[at] = step(out[at] ?? start, Number(tensor.data[offset]));
  }
  const count = sizeOf(over.map((a) => tensor.shape[a] ?? 1));
  return float64(shape, end ? out.map((sum) => end(sum, count)) : out);
};
