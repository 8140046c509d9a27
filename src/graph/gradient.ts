import * as elementwise from './gradients/elementwise.js';
import * as form from './gradients/form.js';
import * as product from './gradients/product.js';
import * as reduce from './gradients/reduce.js';
import { flat, type Branch, type GradientRule, type Reached } from './gradients/rule.js';
import type { Node } from './graph.js';
import type { OpTable } from './ops.js';

/** How the gradient of what an operator makes becomes the gradients of its operands: one row an op. */
export const gradient: OpTable<[at: Reached], readonly (Branch | undefined)[]> = {
  Neg: elementwise.negation,
  Abs: elementwise.absolute,
  Sqrt: elementwise.squareRoot,
  Reciprocal: elementwise.inverse,
  Exp: elementwise.exponential,
  Log: elementwise.logarithm,
  Tanh: elementwise.hyperbolicTangent,
  Sigmoid: elementwise.logistic,
  Erf: elementwise.errorFunction,
  Relu: elementwise.rectifier,
  Gelu: elementwise.gelu,
  Not: flat,
  Cast: elementwise.cast,
  Add: elementwise.sum,
  Sub: elementwise.difference,
  Mul: elementwise.product,
  Div: elementwise.quotient,
  Pow: elementwise.power,
  Min: elementwise.extreme,
  Max: elementwise.extreme,
  Greater: flat,
  Less: flat,
  Equal: flat,
  And: flat,
  Or: flat,
  Where: elementwise.choice,
  Softmax: reduce.softmax,
  ReduceSum: reduce.sum,
  ReduceMean: reduce.mean,
  ReduceMax: reduce.extreme,
  ReduceMin: reduce.extreme,
  TopK: flat, // places, which jump; the values at them are read by other operators
  MatMul: product.matrixProduct,
  Linear: product.linearProduct,
  Reshape: form.reshaping,
  Transpose: form.transposing,
  Slice: form.slicing,
  Concat: form.joining,
  Gather: form.gathering,
  ReshapeLike: form.reshaping,
  ExpandLike: form.stretching,
  ScatterAdd: form.scattering,
  Part: form.parting,
  Constant: flat,
};

/** `gradient` for an operator that is only known at run time. */
export const branchesOf = ({ op, attrs }: Node, at: Reached): readonly (Branch | undefined)[] =>
  (gradient[op] as GradientRule<object>)(attrs, at);
