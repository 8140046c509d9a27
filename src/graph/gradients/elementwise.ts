import {
  add,
  constant,
  div,
  equal,
  erf,
  exp,
  greater,
  less,
  log,
  mul,
  neg,
  pow,
  sub,
  tanh,
  toFloat,
  where,
} from '../algebra.js';
import type { Value } from '../builder.js';
import type { OpAttrs } from '../ops.js';
import { fitted } from './fit.js';
import { operandOf, type GradientRule, type Reached } from './rule.js';

/** dy/dx, by x and y, times what comes from above. */
const unary =
  (slope: (x: Value, y: Value) => Value): GradientRule<object> =>
  (_, at) => [() => mul(at.upstream, slope(operandOf(at, 0), at.output))];

export const negation: GradientRule<object> = (_, { upstream }) => [() => neg(upstream)];
/** The sign; 0 at 0. */
export const absolute = unary((x) => {
  const zero = constant(x, 0);
  return sub(toFloat(greater(x, zero)), toFloat(less(x, zero)));
});
export const squareRoot: GradientRule<object> = (_, { output, upstream }) => [() => div(mul(upstream, 0.5), output)];
export const inverse = unary((_, y) => neg(mul(y, y)));
export const exponential = unary((_, y) => y);
export const logarithm: GradientRule<object> = (_, at) => [() => div(at.upstream, operandOf(at, 0))];
export const hyperbolicTangent = unary((_, y) => sub(constant(y, 1), mul(y, y)));
export const logistic = unary((_, y) => mul(y, sub(constant(y, 1), y)));
/** 2/√π · e^(−x²). */
export const errorFunction = unary((x) => mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI)));

/** 0 at 0, as PyTorch has it. */
export const rectifier: GradientRule<object> = (_, at) => [
  () => {
    const x = operandOf(at, 0);
    return where(greater(x, constant(x, 0)), at.upstream, constant(x, 0));
  },
];

/** Φ(x) + x·φ(x). */
const exactGelu = (x: Value): Value => {
  const below = mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);
  const density = mul(exp(mul(mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return add(below, mul(x, density));
};

/** With u = √(2/π)·(x + 0.044715·x³) and t = tanh(u): ½(1 + t) + ½·x·(1 − t²)·u′. */
const tanhGelu = (x: Value): Value => {
  const c = Math.sqrt(2 / Math.PI);
  const square = mul(x, x);
  const t = tanh(mul(x, add(mul(square, 0.044715 * c), c)));
  const slope = add(mul(square, 3 * 0.044715 * 0.5 * c), 0.5 * c); // ½·u′
  return add(mul(add(t, 1), 0.5), mul(mul(x, sub(constant(x, 1), mul(t, t))), slope));
};

export const gelu: GradientRule<OpAttrs['Gelu']> = ({ approximate }, at) =>
  unary(approximate === 'none' ? exactGelu : tanhGelu)({}, at);

export const sum: GradientRule<object> = (_, { upstream }) => [() => upstream, () => upstream];
export const difference: GradientRule<object> = (_, { upstream }) => [() => upstream, () => neg(upstream)];
export const product: GradientRule<object> = (_, at) => {
  const [x, y] = [operandOf(at, 0), operandOf(at, 1)];
  if (x.id === y.id) return [() => mul(at.upstream, add(x, x))]; // a square
  return [() => mul(at.upstream, y), () => mul(at.upstream, x)];
};
/** g/b and −(Σ g·a/b)/b, summed first where b was stretched, as the divisor of a norm is. */
export const quotient: GradientRule<object> = (_, at) => {
  const divisor = operandOf(at, 1);
  return [() => div(at.upstream, divisor), () => neg(div(fitted(mul(at.upstream, at.output), divisor.type), divisor))];
};

/** b·a^(b−1), 0 where b is 0; a^b·ln a, 0 where a is 0 and b is not negative. */
export const power: GradientRule<object> = (_, at) => {
  const [a, b] = [operandOf(at, 0), operandOf(at, 1)];
  const zero = constant(a, 0);
  return [
    () => mul(at.upstream, where(equal(b, zero), zero, mul(b, pow(a, sub(b, constant(b, 1)))))),
    () => mul(at.upstream, where(equal(a, zero), zero, mul(at.output, log(a)))),
  ];
};

/** Shared by the operands that are the extreme one, in equal parts. */
export const extreme: GradientRule<object> = (_, { inputs, output, upstream }) => {
  const hits = (x: Value): Value => toFloat(equal(x, output));
  const share = (): Value =>
    div(
      upstream,
      inputs.map(hits).reduce((x, y) => add(x, y)),
    );
  return inputs.map((x) => () => mul(share(), hits(x)));
};

/** To the operand that was chosen. */
export const choice: GradientRule<object> = (_, at) => {
  const [condition, zero] = [operandOf(at, 0), constant(at.upstream, 0)];
  return [undefined, () => where(condition, at.upstream, zero), () => where(condition, zero, at.upstream)];
};

const isFloat = ({ type }: Value): boolean => type.dtype === 'float32' || type.dtype === 'float64';

/** Between kinds of numbers with a fraction; what was rounded has no gradient. */
export const cast: GradientRule<OpAttrs['Cast']> = (_, at: Reached) => {
  const x = operandOf(at, 0);
  if (!isFloat(x) || !isFloat(at.output)) return [];
  return [() => at.upstream.builder.op('Cast', { to: x.type.dtype }, [at.upstream])];
};
