import type { Tensor } from './tensor.js';

/** Statistics of a tensor's finite numbers, with the count of the others. */
export interface Statistics {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Population standard deviation (divisor n). */
  readonly std: number;
  readonly nan: number;
  readonly inf: number;
}

/**
 * Minimum, maximum, mean and standard deviation of the finite numbers; how many are NaN or infinite.
 * All are NaN where nothing is finite. Accumulated in float64.
 * @source Welford 1962 for the variance: one pass, no cancellation
 */
export const statistics = (tensor: Tensor): Statistics => {
  let [min, max, mean, m2, count, nan, inf] = [Infinity, -Infinity, 0, 0, 0, 0, 0];
  for (const element of tensor.data) {
    const x = Number(element);
    if (Number.isNaN(x)) nan++;
    else if (!Number.isFinite(x)) inf++;
    else {
      count++;
      const delta = x - mean;
      mean += delta / count;
      m2 += delta * (x - mean);
      if (x < min) min = x;
      if (x > max) max = x;
    }
  }
  if (count === 0) return { min: NaN, max: NaN, mean: NaN, std: NaN, nan, inf };
  return { min, max, mean, std: Math.sqrt(m2 / count), nan, inf };
};
