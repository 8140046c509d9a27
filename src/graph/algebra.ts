import { bug } from '../base/index.js';
import type { Value } from './builder.js';
import type { OpAttrs, OpName } from './ops.js';

/** Free functions on values, so that a family reads like its paper. Shapes are checked as the graph is built. */

const op = <K extends OpName>(name: K, attrs: OpAttrs[K], inputs: readonly Value[]): Value => {
  const first = inputs[0];
  if (!first) throw bug(`${name} needs an operand`);
  return first.builder.op(name, attrs, inputs);
};

/** A number as a value without axes. */
export const constant = (near: Value, value: number): Value =>
  near.builder.op('Constant', { dtype: 'float32', shape: [], axes: [], values: [value] }, []);

type Operand = Value | number;
const value = (x: Operand, near: Value): Value => (typeof x === 'number' ? constant(near, x) : x);
const binary =
  (name: 'Add' | 'Sub' | 'Mul' | 'Div' | 'Pow' | 'Min' | 'Max') =>
  (x: Value, y: Operand): Value =>
    op(name, {}, [x, value(y, x)]);
const unary =
  (name: 'Neg' | 'Sqrt' | 'Reciprocal' | 'Exp' | 'Tanh' | 'Sigmoid' | 'Erf' | 'Relu' | 'Abs' | 'Log') =>
  (x: Value): Value =>
    op(name, {}, [x]);

export const add = binary('Add');
export const sub = binary('Sub');
export const mul = binary('Mul');
export const div = binary('Div');
export const pow = binary('Pow');
export const min = binary('Min');
export const max = binary('Max');
export const neg = unary('Neg');
export const abs = unary('Abs');
export const sqrt = unary('Sqrt');
export const reciprocal = unary('Reciprocal');
export const exp = unary('Exp');
export const log = unary('Log');
export const erf = unary('Erf');
export const tanh = unary('Tanh');
export const sigmoid = unary('Sigmoid');
export const relu = unary('Relu');

/** Gaussian error linear unit. Hendrycks & Gimpel 2016; `tanh` is the approximation GPT-2 was trained with. */
export const gelu = (x: Value, approximate: 'none' | 'tanh'): Value => op('Gelu', { approximate }, [x]);

const lastAxis = (x: Value): number => x.type.shape.length - 1;

export const softmax = (x: Value): Value => op('Softmax', { axis: lastAxis(x) }, [x]);
/** Mean over the last axis, which stays with extent 1. */
export const mean = (x: Value): Value => op('ReduceMean', { axis: lastAxis(x) }, [x]);

/** Places of the k largest numbers along the last axis, the largest first; the last axis is then called `name`. */
export const topK = (x: Value, k: number, name: string): Value => op('TopK', { k, name }, [x]);
export const equal = (x: Value, y: Value): Value => op('Equal', {}, [x, y]);
export const greater = (x: Value, y: Value): Value => op('Greater', {}, [x, y]);
export const less = (x: Value, y: Value): Value => op('Less', {}, [x, y]);
export const or = (x: Value, y: Value): Value => op('Or', {}, [x, y]);
export const toFloat = (x: Value): Value => op('Cast', { to: 'float32' }, [x]);
/** Sum over an axis, which stays with extent 1. */
export const sumOver = (x: Value, axis: number): Value => op('ReduceSum', { axis }, [x]);
/** Sum over the last axis, which stays with extent 1. */
export const sumLast = (x: Value): Value => sumOver(x, lastAxis(x));
/** Numbers as a value of these axes. */
export const numbers = (
  near: Value,
  {
    shape,
    axes,
    values,
  }: { readonly shape: readonly number[]; readonly axes: readonly string[]; readonly values: readonly number[] },
): Value => near.builder.op('Constant', { dtype: 'float32', shape, axes, values }, []);

export const matMul = (x: Value, y: Value): Value => op('MatMul', {}, [x, y]);
export const where = (condition: Value, x: Value, y: Value): Value => op('Where', {}, [condition, x, y]);
export const gather = (table: Value, indices: Value): Value => op('Gather', { axis: 0 }, [table, indices]);

/** One slice of an axis, which goes: `at(x, 1, 0)` of [batch, position, model] is the first position, [batch, model]. */
export const at = (x: Value, axis: number, index: number): Value =>
  op('Gather', { axis }, [x, x.builder.op('Constant', { dtype: 'int64', shape: [], axes: [], values: [index] }, [])]);

/** x · W, with W in the layout of the file; `axis` names what comes out. */
export const linear = (x: Value, weight: Value, attrs: OpAttrs['Linear']): Value => op('Linear', attrs, [x, weight]);

export const reshape = (x: Value, shape: readonly number[], axes: readonly string[]): Value =>
  op('Reshape', { shape, axes }, [x]);
export const transpose = (x: Value, perm: readonly number[], axes: readonly string[]): Value =>
  op('Transpose', { perm, axes }, [x]);

/** Columns `start` to `end` (exclusive) of the last axis. */
export const slice = (x: Value, start: number, end: number): Value =>
  op('Slice', { axis: lastAxis(x), start, end }, [x]);
/** One index of an axis of fixed extent, which stays with extent 1. */
export const sliceAt = (x: Value, axis: number, index: number): Value =>
  op('Slice', { axis, start: index, end: index + 1 }, [x]);
/** Joins along an axis of fixed extents. */
export const concatAt = (parts: readonly Value[], axis: number): Value => op('Concat', { axis }, parts);
/** Joins along the last axis. */
export const concatLast = (...parts: readonly Value[]): Value => {
  const first = parts[0];
  if (!first) throw bug('nothing to join');
  return op('Concat', { axis: lastAxis(first) }, parts);
};
/** The elements of a value in the shape of another, with its axes. */
export const reshapeLike = (x: Value, like: Value): Value => op('ReshapeLike', {}, [x, like]);
/** A value stretched to the shape of another, with its axes. */
export const expandLike = (x: Value, like: Value): Value => op('ExpandLike', {}, [x, like]);
/** Rows of updates added up, each at the row that `rows` names, in the shape of `like` [row, column]. */
export const scatterAdd = (like: Value, rows: Value, updates: Value): Value =>
  op('ScatterAdd', {}, [like, rows, updates]);
/** Of what joins several values along an axis, the part where one of them is. */
export const partAt = (joined: Value, parts: readonly Value[], { axis, index }: OpAttrs['Part']): Value =>
  op('Part', { axis, index }, [joined, ...parts]);

/** Joins along an axis of open extents; `extent` names their sum. */
export const concatAs = (parts: readonly Value[], axis: number, extent: string): Value =>
  op('Concat', { axis, extent }, parts);
