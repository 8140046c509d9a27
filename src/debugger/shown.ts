import { statistics, type Tensor } from '../tensor/index.js';

/** A number as a person reads it. */
export const shownNumber = (x: number): string => {
  if (!Number.isFinite(x) || (Number.isInteger(x) && Math.abs(x) < 1e6)) return String(x);
  return Math.abs(x) >= 1e5 || Math.abs(x) < 1e-3 ? x.toExponential(4) : x.toFixed(5);
};

/** `float32[position 4, head 2]` */
export const shownType = ({ dtype, shape }: Tensor, axes: readonly string[]): string =>
  `${dtype}[${shape.map((n, i) => [axes[i], n].filter((x) => x !== undefined && x !== '').join(' ')).join(', ')}]`;

/** What numbers are like, counted elsewhere. */
export interface ShownStatistics {
  readonly shape: readonly number[];
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly std: number;
  readonly nan: number;
  readonly inf: number;
}

/** What numbers are like, on one line. */
export const shownStatistics = ({ shape, count, min, max, mean, std, nan, inf }: ShownStatistics): string => {
  if (count === 0) return `[${shape.join(', ')}] empty`;
  const strange = [...(nan > 0 ? [`nan ${nan}`] : []), ...(inf > 0 ? [`inf ${inf}`] : [])];
  const [low, high, middle, spread] = [min, max, mean, std].map(shownNumber);
  return [`[${shape.join(', ')}] min ${low} max ${high} mean ${middle} std ${spread}`, ...strange].join(' ');
};

/** What a tensor's numbers are like, on one line. */
export const shownTensor = (tensor: Tensor): string =>
  shownStatistics({ ...statistics(tensor), shape: tensor.shape, count: tensor.data.length });
