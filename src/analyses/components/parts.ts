import type { FloatTensor, Tensor } from '../../tensor/index.js';

/** Numbers of one position of a value: [batch 1, position, ...] -> the rest, flat. */
export const rowAt = (tensor: Tensor, position: number): Float64Array => {
  const size = tensor.data.length / (tensor.shape[1] ?? 1);
  return Float64Array.from(tensor.data.subarray(position * size, (position + 1) * size), Number);
};

/** Σ a·b in float64. */
export const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
};

/** Σ over groups of equal size, one after the other: of [head, headDim], a number a head. */
export const groupedDot = (a: ArrayLike<number>, b: ArrayLike<number>, groups: number): readonly number[] => {
  const size = a.length / groups;
  const sums = new Array<number>(groups).fill(0);
  for (let i = 0; i < a.length; i++) {
    const g = Math.floor(i / size);
    sums[g] = (sums[g] ?? 0) + (a[i] ?? 0) * (b[i] ?? 0);
  }
  return sums;
};

/** A value and how the number that is told apart changes with it. */
export interface Sensed {
  readonly value: Tensor;
  readonly gradient: FloatTensor;
}

/**
 * What a summand of the stream gives to a number that is linear in it: Σ value · gradient, at one position.
 * @source Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits": direct paths
 */
export const contributionAt = ({ value, gradient }: Sensed, position: number): number =>
  dot(rowAt(value, position), rowAt(gradient, position));

/** What each head gives: z and its gradient, [1, position, head, headDim]. @returns [head] */
export const headContributionsAt = ({ value, gradient }: Sensed, position: number): readonly number[] =>
  groupedDot(rowAt(value, position), rowAt(gradient, position), value.shape[2] ?? 1);

/** What each neuron gives: its activation times its gradient. [1, position, (slot,) neuron] -> flat */
export const neuronContributionsAt = ({ value, gradient }: Sensed, position: number): Float64Array => {
  const slope = rowAt(gradient, position);
  return rowAt(value, position).map((x, i) => x * (slope[i] ?? 0));
};

/** What a bias gives: Σ of itself times its gradient. */
export const biasContribution = (bias: Tensor, gradient: FloatTensor): number =>
  dot(Float64Array.from(bias.data, Number), gradient.data);
