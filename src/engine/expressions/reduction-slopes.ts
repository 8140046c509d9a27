import type { Reduction } from '../../language/index.js';
import type { FloatTensor } from '../../tensor/index.js';
import { reduce } from './reductions.js';

type Numbers = FloatTensor['data'];

/** Shared in equal parts by the numbers that are the extreme one, as PyTorch's amax does. */
const shared = (data: Numbers, hits: (x: number) => number): Float64Array => {
  const signs = Float64Array.from(data, hits);
  const count = signs.reduce((n, sign) => n + Math.abs(sign), 0);
  return signs.map((sign) => sign / count);
};

const extreme =
  (by: 'max' | 'min') =>
  (data: Numbers): Float64Array => {
    const best = reduce[by](data);
    return shared(data, (x) => (x === best ? 1 : 0));
  };

/** 0 where the length is 0: there is no derivative, and 0 is the least of the slopes that bound it. */
const over = (data: Numbers, from: number, length: number): Float64Array =>
  Float64Array.from(data, (x) => (length === 0 ? 0 : (x - from) / length));

/** The derivative of each reduction by each of its numbers; of `nan`, a count, there is none. */
export const reductionSlopes: Readonly<Record<Exclude<Reduction, 'nan'>, (data: Numbers) => Float64Array>> = {
  norm: (data) => over(data, 0, reduce.norm(data)),
  mean: (data) => new Float64Array(data.length).fill(1 / data.length),
  sum: (data) => new Float64Array(data.length).fill(1),
  max: extreme('max'),
  min: extreme('min'),
  absmax: (data) => {
    const best = reduce.absmax(data);
    return shared(data, (x) => (Math.abs(x) === best ? Math.sign(x) : 0));
  },
  std: (data) => over(data, reduce.mean(data), data.length * reduce.std(data)),
};

/** The derivative of the cosine by its first vector: b/(|a||b|) − cos · a/|a|². */
export const cosineSlope = (a: Numbers, b: Numbers, cosine: number): Float64Array => {
  const [lengthA, lengthB] = [reduce.norm(a), reduce.norm(b)];
  return Float64Array.from(a, (x, i) => (b[i] ?? 0) / (lengthA * lengthB) - (cosine * x) / lengthA ** 2);
};
