import type { OpAttrs, OpName, OpTable } from '../../graph/index.js';
import type { Tensor } from '../../tensor/index.js';
import * as elementwise from './elementwise.js';
import * as form from './form.js';
import * as likes from './likes.js';
import type { Kernel, Precision } from './kernel.js';
import * as product from './product.js';
import * as reduce from './reduce.js';

/** Every operator in its simplest correct form. */
export const kernels: OpTable<[inputs: readonly Tensor[], precision: Precision], Tensor> = {
  Neg: elementwise.neg,
  Abs: elementwise.abs,
  Sqrt: elementwise.sqrt,
  Reciprocal: elementwise.reciprocal,
  Exp: elementwise.exp,
  Log: elementwise.log,
  Tanh: elementwise.tanh,
  Sigmoid: elementwise.sigmoid,
  Erf: elementwise.errorFunction,
  Relu: elementwise.relu,
  Gelu: elementwise.gelu,
  Not: elementwise.not,
  Cast: elementwise.cast,
  Add: elementwise.add,
  Sub: elementwise.sub,
  Mul: elementwise.mul,
  Div: elementwise.div,
  Pow: elementwise.pow,
  Min: elementwise.min,
  Max: elementwise.max,
  Greater: elementwise.greater,
  Less: elementwise.less,
  Equal: elementwise.equal,
  And: elementwise.and,
  Or: elementwise.or,
  Where: elementwise.where,
  Softmax: reduce.softmax,
  ReduceSum: reduce.reduceSum,
  ReduceMean: reduce.reduceMean,
  ReduceMax: reduce.reduceMax,
  ReduceMin: reduce.reduceMin,
  TopK: reduce.topK,
  MatMul: product.matMul,
  Linear: product.linear,
  Reshape: form.reshape,
  Transpose: form.transpose,
  Slice: form.slice,
  Concat: form.concat,
  Gather: form.gather,
  ReshapeLike: likes.reshapeLike,
  ExpandLike: likes.expandLike,
  ScatterAdd: likes.scatterAdd,
  Part: likes.part,
  Constant: form.constant,
};

/** `kernels` for an operator that is only known at run time. */
export const compute = (
  { op, attrs }: { readonly op: OpName; readonly attrs: OpAttrs[OpName] },
  inputs: readonly Tensor[],
  precision: Precision,
): Tensor => (kernels[op] as Kernel<object>)(attrs, inputs, precision);
