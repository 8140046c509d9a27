import { statistics, type Tensor } from '../tensor/index.js';

/** A number as a person reads it. */
export const shownNumber = (x: number): string => {
  if (!Number.isFinite(x) || (Number.isInteger(x) && Math.abs(x) < 1e6)) return String(x);
  return Math.abs(x) >= 1e5 || Math.abs(x) < 1e-3 ? x.toExponential(4) : x.toFixed(5);
};

/** `float32[position 4, head 2]` */
export const shownType = ({ dtype, shape }: Tensor, axes: readonly string[]): string =>
  `${dtype}[${shape.map((n, i) => [axes[i], n].filter((x) => x !== undefined && x !== '').join(' ')).join(', ')}]`;

/** What a tensor's numbers are like, on one line. */
export const shownTensor = (tensor: Tensor): string => {
  if (tensor.data.length === 0) return `[${tensor.shape.join(', ')}] empty`;
  const { min, max, mean, std, nan, inf } = statistics(tensor);
  const strange = [...(nan > 0 ? [`nan ${nan}`] : []), ...(inf > 0 ? [`inf ${inf}`] : [])];
  const [low, high, middle, spread] = [min, max, mean, std].map(shownNumber);
  return [`[${tensor.shape.join(', ')}] min ${low} max ${high} mean ${middle} std ${spread}`, ...strange].join(' ');
};
