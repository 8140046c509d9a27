import type { Tensor } from './tensor.js';

export interface HistogramOptions {
  readonly bins: number;
  /** The ends; those of the finite numbers where left out. */
  readonly range?: readonly [number, number] | undefined;
}

export interface Histogram {
  /** NaN where there is no finite number and no range was given. */
  readonly low: number;
  readonly high: number;
  /** In bins of equal width from `low` to `high`; the last one has its upper end. */
  readonly counts: readonly number[];
  /** Finite numbers outside the range. */
  readonly below: number;
  readonly above: number;
  readonly nan: number;
  /** Of either sign. */
  readonly inf: number;
}

const endsOf = (data: Tensor['data']): readonly [number, number] => {
  let [low, high] = [Infinity, -Infinity];
  for (const element of data) {
    const x = Number(element);
    if (!Number.isFinite(x)) continue;
    if (x < low) low = x;
    if (x > high) high = x;
  }
  return low > high ? [NaN, NaN] : [low, high];
};

/** How often numbers fall into each bin. Where all are equal, all are in the first. */
export const histogram = ({ data }: Tensor, { bins, range }: HistogramOptions): Histogram => {
  const [low, high] = range ?? endsOf(data);
  const counts = new Array<number>(bins).fill(0);
  const last = bins - 1;
  // Halves, since the difference of two finite numbers may be infinite.
  const span = high / 2 - low / 2;
  let [below, above, nan, inf] = [0, 0, 0, 0];
  for (const element of data) {
    const x = Number(element);
    if (Number.isNaN(x)) nan++;
    else if (!Number.isFinite(x)) inf++;
    else if (x < low) below++;
    else if (x > high) above++;
    else {
      const bin = span > 0 ? Math.min(last, Math.floor(((x / 2 - low / 2) / span) * bins)) : 0;
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
  }
  return { low, high, counts, below, above, nan, inf };
};
