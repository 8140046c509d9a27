import { bytesPer, sizeOf } from '../tensor/index.js';
import type { Node } from './graph.js';
import type { OpAttrs, OpName, OpTable } from './ops.js';
import { shapeOf, type Extents, type ValueType } from './value.js';

/** What an operation costs: floating-point operations (a multiply-add is 2), and bytes read and written once. */
export interface Cost {
  readonly flops: number;
  readonly bytes: number;
}

/** The shapes in numbers: of the operands, and of the output. */
export interface Shapes {
  readonly inputs: readonly (readonly number[])[];
  readonly output: readonly number[];
}

const perElement =
  (flops: number) =>
  (_: object, { output }: Shapes): number =>
    flops * sizeOf(output);

const perInput =
  (flops: number) =>
  (_: object, { inputs }: Shapes): number =>
    flops * sizeOf(inputs[0] ?? []);

const product = (_: object, { inputs, output }: Shapes): number => {
  const inner = inputs[0]?.at(-1) ?? 1;
  return 2 * sizeOf(output) * inner;
};

const none = (): number => 0;

/**
 * Floating-point operations. Transcendental functions count as the number of multiply-adds that a
 * vectorised polynomial takes, roughly: 10 for exp and its kin, 1 for arithmetic.
 */
export const flops: OpTable<[shapes: Shapes], number> = {
  Neg: perElement(1),
  Abs: perElement(1),
  Sqrt: perElement(1),
  Reciprocal: perElement(1),
  Exp: perElement(10),
  Log: perElement(10),
  Tanh: perElement(10),
  Sigmoid: perElement(10),
  Erf: perElement(10),
  Relu: perElement(1),
  Gelu: perElement(14),
  Not: none,
  Cast: none,
  Add: perElement(1),
  Sub: perElement(1),
  Mul: perElement(1),
  Div: perElement(1),
  Pow: perElement(20),
  Min: perElement(1),
  Max: perElement(1),
  Greater: perElement(1),
  Less: perElement(1),
  Equal: perElement(1),
  And: none,
  Or: none,
  Where: none,
  Softmax: perInput(14),
  ReduceSum: perInput(1),
  ReduceMean: perInput(1),
  ReduceMax: perInput(1),
  ReduceMin: perInput(1),
  TopK: perInput(1),
  MatMul: product,
  Linear: product,
  Reshape: none,
  Transpose: none,
  Slice: none,
  Concat: none,
  Gather: none,
  ReshapeLike: none,
  ExpandLike: none,
  ScatterAdd: (_, { inputs }) => sizeOf(inputs[2] ?? []),
  Part: none,
  Constant: none,
};

const bytesOf = (type: ValueType, extents: Extents): number => sizeOf(shapeOf(type, extents)) * bytesPer[type.dtype];

/** A reshape moves nothing; of a table only the rows asked for are read; of what only gives its shape, nothing. */
const bytesMoved = (node: Node, operands: readonly ValueType[], extents: Extents): number => {
  const written = bytesOf(node.type, extents);
  if (node.op === 'Reshape' || node.op === 'ReshapeLike' || node.op === 'Constant') return 0;
  if (node.op === 'Gather' || node.op === 'Part') return 2 * written;
  if (node.op === 'ExpandLike') return bytesOf(operands[0] ?? node.type, extents) + written;
  return operands.reduce((sum, type) => sum + bytesOf(type, extents), written);
};

/** The cost of one node at given extents. `operands`: the types of its inputs. */
export const costOf = (node: Node, operands: readonly ValueType[], extents: Extents): Cost => {
  const shapes = { inputs: operands.map((t) => shapeOf(t, extents)), output: shapeOf(node.type, extents) };
  const row = flops[node.op] as (attrs: OpAttrs[OpName], shapes: Shapes) => number;
  return { flops: row(node.attrs, shapes), bytes: bytesMoved(node, operands, extents) };
};
