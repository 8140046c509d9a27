import type { Reduction } from '../../language/index.js';
import type { FloatTensor } from '../../tensor/index.js';

type Numbers = FloatTensor['data'];

const sum = (data: Numbers): number => {
  let total = 0;
  for (const x of data) total += x;
  return total;
};

/** Of nothing NaN, and of NaN too. */
const extreme =
  (further: (x: number, best: number) => boolean, of: (x: number) => number = (x) => x) =>
  (data: Numbers): number => {
    let best = NaN;
    for (const element of data) {
      const x = of(element);
      if (Number.isNaN(x)) return NaN;
      if (Number.isNaN(best) || further(x, best)) best = x;
    }
    return best;
  };

const squares = (data: Numbers, from: number): number => {
  let total = 0;
  for (const x of data) total += (x - from) ** 2;
  return total;
};

const mean = (data: Numbers): number => sum(data) / data.length;

const nans = (data: Numbers): number => {
  let count = 0;
  for (const x of data) if (Number.isNaN(x)) count++;
  return count;
};

/** In float64. NaN anywhere gives NaN, except in `nan`; of no numbers `norm`, `sum` and `nan` are 0, the others NaN. */
export const reduce: Readonly<Record<Reduction, (data: Numbers) => number>> = {
  norm: (data) => Math.sqrt(squares(data, 0)),
  mean,
  sum,
  max: extreme((x, best) => x > best),
  min: extreme((x, best) => x < best),
  absmax: extreme((x, best) => x > best, Math.abs),
  std: (data) => Math.sqrt(squares(data, mean(data)) / data.length),
  nan: nans,
};

/** Cosine of the angle between two vectors of equal length; NaN where one is 0. */
export const cosine = (a: Numbers, b: Numbers): number => {
  let dot = 0;
  for (let i = 0; i < a.length; i++) dot += (a[i] ?? 0) * (b[i] ?? 0);
  return dot / (reduce.norm(a) * reduce.norm(b));
};
