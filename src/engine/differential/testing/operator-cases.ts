import { inferNode, verify, type Graph, type OpAttrs, type OpName, type ValueId } from '../../../graph/index.js';
import { bool, float32, int64From, type Tensor } from '../../../tensor/index.js';
import { randomNumbers } from './random.js';

/** One use of an operator. */
export interface OperatorCase<K extends OpName = OpName> {
  readonly what: string;
  readonly attrs: OpAttrs[K];
  readonly inputs: readonly Tensor[];
}

const f32 = (shape: readonly number[], ...values: number[]): Tensor => float32(shape, Float32Array.from(values));
const i64 = (shape: readonly number[], ...values: number[]): Tensor => int64From(shape, values);
const truth = (shape: readonly number[], ...values: number[]): Tensor => bool(shape, Uint8Array.from(values));
const vector = (...values: number[]): Tensor => f32([values.length], ...values);

/** Numbers in [low, high), the same at every call. */
const spread = (shape: readonly number[], low = -3, high = 3): Tensor => {
  const count = shape.reduce((a, b) => a * b, 1);
  return f32(shape, ...randomNumbers(count, count).map((x) => low + x * (high - low)));
};

const numbers = vector(-20, -3.5, -1, -0.3, -1e-6, 0, 1e-6, 0.3, 1, 3.5, 20);
const positive = vector(1e-6, 0.3, 1, 3.5, 20, 1e6);
const special = vector(NaN, Infinity, -Infinity, 0);
const whole = i64([5], -7, -1, 0, 1, 7);

const all = (attrs: object, ...cases: (readonly [string, ...Tensor[]])[]): OperatorCase<never>[] =>
  cases.map(([what, ...inputs]) => ({ what, attrs: attrs as never, inputs }));

const ofOne = (...more: (readonly [string, Tensor])[]) =>
  all(
    {},
    ['numbers', numbers],
    ['NaN and infinity', special],
    ['none', f32([0, 2])],
    ['a scalar', f32([], 0.5)],
    ...more,
  );
const ofPositive = all(
  {},
  ['numbers', positive],
  ['far from 0', vector(0.5, 2, 7)],
  ['out of the domain', special],
  ['of -1', vector(-1)],
);

const stretched: readonly [string, ...Tensor[]] = ['both stretched', spread([2, 1, 3], 0.5), spread([4, 1], 0.5)];
const ofTwo = (...more: (readonly [string, ...Tensor[]])[]) =>
  all(
    {},
    ['numbers', spread([12], 0.1), spread([12], -2)],
    stretched,
    ['a scalar', f32([], 2), spread([2, 2], 0.5)],
    ['one stretched to none', f32([1, 2], 1, 2), f32([0, 1])],
    ...more,
  );
const infinite: readonly [string, ...Tensor[]] = ['NaN and infinity', special, vector(0, Infinity, Infinity, NaN)];
const integers: readonly [string, ...Tensor[]] = ['integers', whole, i64([5], 2, 3, 5, -2, -2)];
const [trueFalse, other] = [truth([2, 2], 0, 0, 1, 1), truth([2, 2], 0, 1, 0, 1)];

const alongAxes = (...more: OperatorCase<never>[]) => [
  ...all({ axis: 2 }, ['the last', spread([2, 3, 4])]),
  ...all({ axis: 1 }, ['a middle one', spread([2, 3, 4])]),
  ...all({ axis: 0 }, ['one of 1', spread([1, 3])], ['none beside it', f32([3, 0])]),
  ...more,
];

/** Uses of each operator; where onnxruntime has no kernel or leaves IEEE, the line says so. */
export const operatorCases: { readonly [K in OpName]: readonly OperatorCase<K>[] } = {
  Neg: ofOne(['integers', whole]),
  Abs: ofOne(['integers', whole]),
  Sqrt: ofPositive,
  Reciprocal: ofOne(),
  Exp: ofOne(['overflow', vector(88, 89, -104)]),
  Log: ofPositive,
  Tanh: ofOne(),
  Sigmoid: ofOne(),
  Erf: ofOne(),
  Relu: ofOne(),
  Gelu: [
    ...all({ approximate: 'none' }, ['exact', numbers], ['exact, many', spread([64], -6, 6)]),
    ...all({ approximate: 'tanh' }, ['by tanh', numbers], ['by tanh, many', spread([64], -6, 6)]),
  ],
  Not: all({}, ['truth values', trueFalse]),
  Cast: [
    ...all({ to: 'int64' }, ['numbers to integers', vector(-2.7, -0.5, 0.5, 2.7)], ['truth to integers', trueFalse]),
    ...all({ to: 'bool' }, ['numbers to truth', vector(-0.5, 0, 2)], ['integers to truth', whole]),
    ...all({ to: 'float32' }, ['integers to numbers', whole], ['truth to numbers', trueFalse], ['the same', numbers]),
    ...all({ to: 'float64' }, ['numbers to float64', numbers]),
  ],
  Add: ofTwo(infinite, integers),
  Sub: ofTwo(infinite, integers),
  Mul: ofTwo(infinite, integers),
  Div: ofTwo(infinite, integers, ['by zero', vector(1, -1, 0), vector(0, 0, 0)]),
  Pow: ofTwo(['integers', i64([3], 2, -3, 5), i64([3], 10, 3, 0)], ['negative', vector(-2, -8), vector(3, 0.5)]),
  Min: ofTwo(infinite, integers, ['three', vector(1, 5), vector(2, 4), f32([], 3)]),
  Max: ofTwo(infinite, integers, ['three', vector(1, 5), vector(2, 4), f32([], 3)]),
  Greater: ofTwo(infinite, integers, ['equal ones', numbers, numbers]),
  Less: ofTwo(infinite, integers, ['equal ones', numbers, numbers]),
  Equal: ofTwo(infinite, integers, ['equal ones', numbers, numbers], ['truth values', trueFalse, other]),
  And: all({}, ['truth values', trueFalse, other], ['stretched', truth([2, 1], 0, 1), truth([3], 0, 1, 1)]),
  Or: all({}, ['truth values', trueFalse, other], ['stretched', truth([2, 1], 0, 1), truth([3], 0, 1, 1)]),
  Where: all(
    {},
    ['all stretched', truth([2, 1], 1, 0), vector(1, 2, 3), f32([], NaN)],
    ['numbers', truth([2, 1], 1, 0), vector(1, 2, 3), spread([2, 3])],
    ['integers', truth([3], 1, 0, 1), i64([3], 1, 2, 3), i64([1], 9)],
  ),
  Softmax: [
    ...all({ axis: 2 }, ['rows', spread([2, 3, 4])], ['large scores', f32([1, 1, 3], 1000, -3.4028235e38, 1000)]),
    ...all(
      { axis: 1 },
      ['rows of one', spread([3, 1])],
      ['no rows', f32([0, 4])],
      ['−∞ beside', f32([1, 2], -Infinity, 0)],
    ),
    ...all({ axis: 0 }, ['−∞ alone', vector(-Infinity, -Infinity)], ['NaN', vector(NaN, 0)]),
  ],
  ReduceSum: alongAxes(...all({ axis: 0 }, ['integers', whole], ['NaN', vector(1, NaN)])),
  ReduceMean: alongAxes(...all({ axis: 0 }, ['NaN', vector(1, NaN)], ['infinity', vector(1, Infinity)])),
  ReduceMax: alongAxes(...all({ axis: 0 }, ['integers', whole], ['infinity', vector(1, -Infinity)])),
  ReduceMin: alongAxes(...all({ axis: 0 }, ['integers', whole], ['infinity', vector(1, -Infinity)])),
  TopK: [
    ...all(
      { k: 2, name: '' },
      ['rows', spread([2, 3, 4])],
      ['equal ones', f32([1, 4], 1, 2, 2, 0)], // of no rows at all it divides by zero
    ),
    ...all({ k: 3, name: '' }, ['all', vector(-1, Infinity, 0)]),
  ],
  MatMul: all(
    {},
    ['two matrices', spread([3, 4]), spread([4, 5])],
    ['one row', spread([1, 4]), spread([4, 3])],
    ['leading axes stretched', spread([2, 1, 3, 4]), spread([5, 4, 2])],
    ['no rows', f32([0, 4]), spread([4, 2])],
    ['over nothing', f32([2, 0]), f32([0, 3])],
    ['0 · ∞', f32([1, 2], 0, 1), f32([2, 1], Infinity, 1)],
  ),
  Linear: [
    ...all(
      { layout: 'out,in', axis: '' },
      ['out,in', spread([2, 3, 4]), spread([5, 4])],
      ['no rows', f32([0, 4]), spread([5, 4])],
    ),
    ...all(
      { layout: 'in,out', axis: '' },
      ['in,out', spread([2, 3, 4]), spread([4, 5])],
      ['a vector', spread([4]), spread([4, 5])],
    ),
  ],
  Reshape: [
    ...all({ shape: [0, -1], axes: ['', ''] }, ['a copied extent', spread([2, 3, 4])]),
    ...all({ shape: [-1], axes: [''] }, ['flat', i64([2, 1], 1, 2)], ['a scalar', f32([], 1)]),
    ...all({ shape: [0, 2, 2], axes: ['', '', ''] }, ['an axis split', f32([0, 4])]),
  ],
  Transpose: [
    ...all({ perm: [1, 0], axes: ['', ''] }, ['a matrix', spread([2, 3])], ['nothing', f32([0, 3])]),
    ...all(
      { perm: [2, 0, 1], axes: ['', '', ''] },
      ['a circle', spread([2, 3, 4])],
      ['truth values', truth([1, 1, 2], 0, 1)],
    ),
  ],
  Slice: [
    ...all({ axis: 1, start: 1, end: 3 }, ['a middle part', spread([2, 4])], ['integers', i64([1, 3], 1, 2, 3)]),
    ...all({ axis: 0, start: 0, end: 1 }, ['the first', spread([2, 4])]),
  ],
  Concat: [
    ...all({ axis: 1 }, ['columns', spread([2, 1]), spread([2, 3])], ['an empty one', f32([2, 0]), spread([2, 3])]),
    ...all(
      { axis: 0 },
      ['three', spread([1, 2]), spread([2, 2]), spread([1, 2])],
      ['truth', truth([1], 1), truth([1], 0)],
    ),
  ],
  Gather: [
    ...all(
      { axis: 0 },
      ['rows', spread([4, 2]), i64([2, 3], 3, 0, -1, 1, -4, 2)],
      ['no rows', spread([4, 2]), i64([0])],
    ),
    ...all({ axis: 1 }, ['columns', spread([2, 4]), i64([2], -1, 0)], ['one', spread([2, 4]), i64([], 2)]),
  ],
  ReshapeLike: all(
    {},
    ['an axis split', spread([6, 2]), spread([2, 3, 2])],
    ['a scalar', f32([1, 1], 3), f32([], 0)],
    ['nothing', f32([0, 3]), f32([3, 0])],
  ),
  ExpandLike: all(
    {},
    ['rows', spread([3, 1]), spread([2, 3, 4])],
    ['a scalar', f32([], 3), spread([2, 2])],
    ['to none', spread([1, 2]), f32([0, 2])],
  ),
  ScatterAdd: all(
    {},
    ['rows, some twice', spread([4, 3]), i64([5], 3, 0, 3, 1, 3), spread([5, 3])],
    ['from the end', spread([4, 2]), i64([2], -1, -4), spread([2, 2])],
    ['nothing', spread([2, 2]), i64([0]), f32([0, 2])],
  ),
  Part: [
    ...all({ axis: 1, index: 1 }, ['a middle one', spread([2, 6]), spread([2, 1]), spread([2, 3]), spread([2, 2])]),
    ...all({ axis: 0, index: 0 }, ['the first', spread([3, 2]), spread([1, 2]), spread([2, 2])]),
    ...all({ axis: 0, index: 1 }, ['behind nothing', spread([2, 2]), f32([0, 2]), spread([2, 2])]),
  ],
  Constant: [
    ...all({ dtype: 'float32', shape: [2], axes: [''], values: [0.1, -3] }, ['float32']),
    ...all({ dtype: 'int64', shape: [], axes: [], values: [7] }, ['an integer']),
    ...all({ dtype: 'bool', shape: [2, 1], axes: ['', ''], values: [1, 0] }, ['truth values']),
  ],
};

/** A graph of this one operation: inputs `in 0`, `in 1`, ..., output `out`. */
export const graphOf = (op: OpName, { attrs, inputs }: OperatorCase): Graph => {
  const given = inputs.map(({ dtype, shape }, i) => ({
    id: `x${i}` as ValueId,
    name: `in ${i}`,
    type: { dtype, shape, axes: shape.map(() => '') },
  }));
  const type = inferNode(
    op,
    attrs,
    given.map((g) => g.type),
  );
  const node = { id: 'y', op, attrs, inputs: given.map((g) => g.id), scope: '', type };
  const outputs = [{ name: 'out', value: 'y' as ValueId }];
  return verify({ name: op, inputs: given, params: [], nodes: [node as never], sites: [], outputs });
};
