import type { DType, StoredDType } from '../../tensor/index.js';
import type { OpAttrs, OpTable } from '../ops.js';

/** ONNX's numbers for element types (onnx.proto, TensorProto.DataType). */
export const elementType: Readonly<Record<StoredDType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
};

export type OnnxAttribute = number | readonly number[] | string;

/** One node of ONNX. Float attributes are not needed by any operator here. */
export interface OnnxNode {
  readonly op: string;
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly output: string;
  /** A first output that nobody reads. */
  readonly unread?: string;
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** What a lowering needs to make its nodes. */
export interface Lowering {
  readonly inputs: readonly string[];
  readonly output: string;
  /** `standard`: ONNX's own operators only. `kernels`: also onnxruntime's, which pack a weight stored [out, in]. */
  readonly target: 'standard' | 'kernels';
  /** A constant of integers, by name. */
  integers(values: readonly number[]): string;
  /** A constant tensor, by name. */
  constant(attrs: OpAttrs['Constant']): string;
}

type Row<A> = (attrs: A, l: Lowering) => OnnxNode[];

const same =
  (op: string): Row<object> =>
  (attrs, { inputs, output }) => [{ op, inputs, output, attributes: attrs as Readonly<Record<string, OnnxAttribute>> }];

/** Reductions take their axes as an input since opset 18. */
const reduction =
  (op: string): Row<{ readonly axis: number }> =>
  ({ axis }, l) => [{ op, inputs: [...l.inputs, l.integers([axis])], output: l.output, attributes: { keepdims: 1 } }];

const linear: Row<OpAttrs['Linear']> = ({ layout }, { inputs, output, target }) => {
  const [x = '', w = ''] = inputs;
  if (layout === 'in,out') return [{ op: 'MatMul', inputs, output, attributes: {} }];
  if (target === 'kernels')
    return [{ op: 'FusedMatMul', domain: 'com.microsoft', inputs, output, attributes: { transB: 1 } }];
  return [
    { op: 'Transpose', inputs: [w], output: `${output}:w`, attributes: { perm: [1, 0] } },
    { op: 'MatMul', inputs: [x, `${output}:w`], output, attributes: {} },
  ];
};

const slice: Row<OpAttrs['Slice']> = ({ axis, start, end }, l) => {
  const bounds = [start, end, axis].map((n) => l.integers([n]));
  return [{ op: 'Slice', inputs: [...l.inputs, ...bounds], output: l.output, attributes: {} }];
};

const shapeNode = (of: string, output: string): OnnxNode => ({ op: 'Shape', inputs: [of], output, attributes: {} });

/** Shape of the second operand, then the operator that takes it. */
const like =
  (op: 'Reshape' | 'Expand'): Row<object> =>
  (_, { inputs: [x = '', other = ''], output }) => [
    shapeNode(other, `${output}:shape`),
    // An extent of 0 is meant, not copied.
    { op, inputs: [x, `${output}:shape`], output, attributes: op === 'Reshape' ? { allowzero: 1 } : {} },
  ];

/** Row numbers stretched over the columns, since ScatterElements goes element by element; it adds one after the other. */
const scatterAdd: Row<object> = (_, l) => {
  const [to = '', rows = '', updates = ''] = l.inputs;
  const at = (name: string): string => `${l.output}:${name}`;
  return [
    { op: 'Unsqueeze', inputs: [rows, l.integers([1])], output: at('column'), attributes: {} },
    shapeNode(updates, at('updates')),
    { op: 'Expand', inputs: [at('column'), at('updates')], output: at('rows'), attributes: {} },
    shapeNode(to, at('shape')),
    { op: 'ConstantOfShape', inputs: [at('shape')], output: at('zeros'), attributes: {} },
    {
      op: 'ScatterElements',
      inputs: [at('zeros'), at('rows'), updates],
      output: l.output,
      attributes: { axis: 0, reduction: 'add' },
    },
  ];
};

/** A slice that begins where the parts before it end. */
const part: Row<OpAttrs['Part']> = ({ axis, index }, l) => {
  const [joined = '', ...parts] = l.inputs;
  const nodes: OnnxNode[] = [];
  let [start, end] = [l.integers([0]), l.integers([0])];
  parts.slice(0, index + 1).forEach((name, i) => {
    const [extent, sum] = [`${l.output}:extent ${i}`, `${l.output}:end ${i}`];
    nodes.push({ op: 'Shape', inputs: [name], output: extent, attributes: { start: axis, end: axis + 1 } });
    nodes.push({ op: 'Add', inputs: [end, extent], output: sum, attributes: {} });
    [start, end] = [end, sum];
  });
  return [
    ...nodes,
    { op: 'Slice', inputs: [joined, start, end, l.integers([axis])], output: l.output, attributes: {} },
  ];
};

const dtypeNumber = (dtype: DType): number => elementType[dtype];

/** Each operator as nodes of ONNX, opset 20. */
export const lowering: OpTable<[lowering: Lowering], OnnxNode[]> = {
  Neg: same('Neg'),
  Abs: same('Abs'),
  Sqrt: same('Sqrt'),
  Reciprocal: same('Reciprocal'),
  Exp: same('Exp'),
  Log: same('Log'),
  Tanh: same('Tanh'),
  Sigmoid: same('Sigmoid'),
  Erf: same('Erf'),
  Relu: same('Relu'),
  Gelu: same('Gelu'),
  Not: same('Not'),
  Cast: ({ to }, { inputs, output }) => [{ op: 'Cast', inputs, output, attributes: { to: dtypeNumber(to) } }],
  Add: same('Add'),
  Sub: same('Sub'),
  Mul: same('Mul'),
  Div: same('Div'),
  Pow: same('Pow'),
  Min: same('Min'),
  Max: same('Max'),
  Greater: same('Greater'),
  Less: same('Less'),
  Equal: same('Equal'),
  And: same('And'),
  Or: same('Or'),
  Where: same('Where'),
  Softmax: same('Softmax'),
  ReduceSum: reduction('ReduceSum'),
  ReduceMean: reduction('ReduceMean'),
  ReduceMax: reduction('ReduceMax'),
  ReduceMin: reduction('ReduceMin'),
  TopK: ({ k }, l) => [
    {
      op: 'TopK',
      inputs: [...l.inputs, l.integers([k])],
      unread: `${l.output}:values`,
      output: l.output,
      attributes: {},
    },
  ],
  MatMul: same('MatMul'),
  Linear: linear,
  Reshape: ({ shape }, l) => [
    { op: 'Reshape', inputs: [...l.inputs, l.integers(shape)], output: l.output, attributes: {} },
  ],
  Transpose: ({ perm }, { inputs, output }) => [{ op: 'Transpose', inputs, output, attributes: { perm } }],
  Slice: slice,
  Concat: ({ axis }, { inputs, output }) => [{ op: 'Concat', inputs, output, attributes: { axis } }],
  Gather: same('Gather'),
  ReshapeLike: like('Reshape'),
  ExpandLike: like('Expand'),
  ScatterAdd: scatterAdd,
  Part: part,
  Constant: (attrs, l) => [{ op: 'Identity', inputs: [l.constant(attrs)], output: l.output, attributes: {} }],
};
