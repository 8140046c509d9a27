import type { OpName } from './ops.js';

/** Why an operator has no gradient rule. */
export interface NoGradient {
  readonly unsupported: string;
}

const unsupported = (why: string): NoGradient => ({ unsupported: why });
const toCome = unsupported('gradients come in a later version');
const flat = unsupported('piecewise constant: its gradient is zero or does not exist');

/** The gradient rule of each operator; so far each row says why there is none. */
export const gradient: Readonly<Record<OpName, NoGradient>> = {
  Neg: toCome,
  Abs: toCome,
  Sqrt: toCome,
  Reciprocal: toCome,
  Exp: toCome,
  Log: toCome,
  Tanh: toCome,
  Sigmoid: toCome,
  Erf: toCome,
  Relu: toCome,
  Gelu: toCome,
  Not: flat,
  Cast: toCome,
  Add: toCome,
  Sub: toCome,
  Mul: toCome,
  Div: toCome,
  Pow: toCome,
  Min: toCome,
  Max: toCome,
  Greater: flat,
  Less: flat,
  Equal: flat,
  And: flat,
  Or: flat,
  Where: toCome,
  Softmax: toCome,
  ReduceSum: toCome,
  ReduceMean: toCome,
  ReduceMax: toCome,
  ReduceMin: toCome,
  TopK: flat,
  MatMul: toCome,
  Linear: toCome,
  Reshape: toCome,
  Transpose: toCome,
  Slice: toCome,
  Concat: toCome,
  Gather: toCome,
  Constant: flat,
};
