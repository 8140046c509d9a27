import { abs, add, constant, div, greater, less, mul, sub, toFloat, where } from '../algebra.js';
import type { Value } from '../builder.js';
import { operandOf, type GradientRule, type Reached } from '../gradients/rule.js';

/** Keeps divisors away from 0, on the side where they are; 0 counts as positive. Captum's `sign`. */
export const stabilized = (x: Value, epsilon: number): Value => {
  const signs = sub(constant(x, 1), mul(toFloat(less(x, constant(x, 0))), 2));
  return add(x, mul(signs, epsilon));
};

/**
 * The whole relevance of what comes out goes to what went in: R_x = R_y, so that the multiplier is g·y/x. Near 0, where
 * the ratio has no value in numbers, it is 0: what is 0 has no relevance.
 * @source Achtibat 2024 (AttnLRP) eq. 9, the identity rule of activations
 */
export const identity: GradientRule<object> = (_, { inputs, output, upstream }) => [
  () => {
    const x = operandOf({ inputs }, 0);
    const there = greater(abs(x), constant(x, 1e-10));
    return where(there, div(mul(upstream, output), where(there, x, constant(x, 1))), constant(x, 0));
  },
];

/** How many operands take part: a product's relevance is shared by them in equal parts. */
const parts = ({ live = [] }: Reached): number => Math.max(1, live.filter(Boolean).length);

/** x·y of two that take part: half of the relevance each. Achtibat 2024 eq. 12 */
export const product: GradientRule<object> = (_, at) => {
  const share = 1 / parts(at);
  const times = (other: number) => (): Value => {
    const multiplier = mul(at.upstream, operandOf(at, other));
    return share === 1 ? multiplier : mul(multiplier, share);
  };
  return [times(1), times(0)];
};

/** x / y: all of it to x. The divisors are norms and sums of weights, which count as constant. */
export const quotient: GradientRule<object> = (_, at) => [() => div(at.upstream, operandOf(at, 1)), undefined];
