import { constant, div, equal, expandLike, mul, sub, sumOver, toFloat } from '../algebra.js';
import type { Value } from '../builder.js';
import { operandOf, type GradientRule } from './rule.js';

interface Along {
  readonly axis: number;
}

/** y·(g − Σ g·y). */
export const softmax: GradientRule<Along> = ({ axis }, { output, upstream }) => [
  () => {
    const weighted = mul(upstream, output);
    return sub(weighted, mul(output, sumOver(weighted, axis)));
  },
];

/** The same for every summand. */
export const sum: GradientRule<Along> = (_, { upstream }) => [() => upstream];

/** How many numbers stand along an axis, where that is known only at a run: the ones there, added up. */
const counted = (x: Value, axis: number): Value => sumOver(expandLike(constant(x, 1), x), axis);

export const mean: GradientRule<Along> = ({ axis }, at) => [
  () => {
    const x = operandOf(at, 0);
    const extent = x.type.shape[axis];
    return typeof extent === 'number' ? mul(at.upstream, 1 / extent) : div(at.upstream, counted(x, axis));
  },
];

/** Shared in equal parts by those that are the extreme one, as PyTorch's amax does. */
export const extreme: GradientRule<Along> = ({ axis }, at) => [
  () => {
    const hits = toFloat(equal(operandOf(at, 0), at.output));
    return mul(hits, div(at.upstream, sumOver(hits, axis)));
  },
];
