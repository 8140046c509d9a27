import type { Node } from './graph.js';
import type { OpTable } from './ops.js';

/** Which operands depend on what is varied, the first one first. */
type Depends = readonly boolean[];

const always = (): boolean => true;
const never = (): boolean => false;
const onlyFirst = (_: object, [, ...others]: Depends): boolean => !others.includes(true);
const atMostOne = (_: object, depends: Depends): boolean => depends.filter(Boolean).length <= 1;

/**
 * Is what an operator makes a sum of a constant and of a linear function of the operands that are varied, the others
 * held? One row an operator.
 */
const affine: OpTable<[depends: Depends], boolean> = {
  Neg: always,
  Abs: never,
  Sqrt: never,
  Reciprocal: never,
  Exp: never,
  Log: never,
  Tanh: never,
  Sigmoid: never,
  Erf: never,
  Relu: never,
  Gelu: never,
  Not: never,
  Cast: ({ to }) => to === 'float32' || to === 'float64',
  Add: always,
  Sub: always,
  Mul: atMostOne,
  Div: onlyFirst,
  Pow: never,
  Min: never,
  Max: never,
  Greater: never,
  Less: never,
  Equal: never,
  And: never,
  Or: never,
  Where: (_, [condition]) => condition !== true,
  Softmax: never,
  ReduceSum: always,
  ReduceMean: always,
  ReduceMax: never,
  ReduceMin: never,
  TopK: never,
  MatMul: atMostOne,
  Linear: onlyFirst,
  Reshape: always,
  Transpose: always,
  Slice: always,
  Concat: always,
  Gather: onlyFirst,
  ReshapeLike: onlyFirst,
  ExpandLike: onlyFirst,
  ScatterAdd: (_, [, rows]) => rows !== true,
  Part: onlyFirst,
  Constant: always,
};

/** Is a node affine in the operands that are varied? */
export const isAffine = ({ op, attrs }: Node, depends: Depends): boolean =>
  (affine[op] as (attrs: object, depends: Depends) => boolean)(attrs, depends);
