import { BugError } from '../base/index.js';
import { sizeOf, type DType } from '../tensor/index.js';
import type { OpAttrs, OpName, OpTable } from './ops.js';
import { divideDims, multiplyDims, type Dim, type ValueType } from './value.js';

/** The types of an operation's operands. */
export type Operands = readonly ValueType[];

const wrong = (message: string): BugError =>
  new BugError(message, {
    code: 'GRAPH_INVALID',
    hint: 'The graph does not fit together: a family or a pass made a mistake. Please report it.',
  });

const operand = (types: Operands, i: number): ValueType => {
  const type = types[i];
  if (!type) throw wrong(`operand ${i} is missing`);
  return type;
};

type Rule<A> = (attrs: A, types: Operands) => ValueType;

const floating: readonly DType[] = ['float32', 'float64'];
const numeric: readonly DType[] = [...floating, 'int64'];
const truth: readonly DType[] = ['bool'];
const anything: readonly DType[] = [...numeric, ...truth];

/** A rule for this many operands (`some`: one or more) of these element types. */
const takes =
  <A>(count: number | 'some', allowed: readonly DType[], rule: Rule<A>): Rule<A> =>
  (attrs, types) => {
    if (count === 'some' ? types.length === 0 : types.length !== count)
      throw wrong(`${count} operands are taken and ${types.length} given`);
    const odd = types.find((t) => !allowed.includes(t.dtype));
    if (odd) throw wrong(`an operand of type ${odd.dtype}, where ${allowed.join(' or ')} is taken`);
    return rule(attrs, types);
  };

/** The one axis that two aligned axes broadcast to. */
const broadcastAxis = (a: readonly [Dim, string], b: readonly [Dim, string]): readonly [Dim, string] => {
  if (a[0] === 1) return b[0] === 1 && a[1] !== '' ? a : b;
  if (b[0] === 1) return a;
  if (a[0] !== b[0]) throw wrong(`extents ${a[0]} (${a[1]}) and ${b[0]} (${b[1]}) do not broadcast`);
  if (a[1] !== b[1]) throw wrong(`axis ${a[1]} meets axis ${b[1]}`);
  return a;
};

const padded = (type: ValueType, rank: number): (readonly [Dim, string])[] => {
  const missing = rank - type.shape.length;
  const own = type.shape.map((dim, i): readonly [Dim, string] => [dim, type.axes[i] ?? '']);
  return [...Array.from({ length: missing }, (): readonly [Dim, string] => [1, '']), ...own];
};

/** Shape and axis names after broadcasting, as NumPy does. */
export const broadcast = (types: Operands): Pick<ValueType, 'shape' | 'axes'> => {
  const rank = Math.max(...types.map((t) => t.shape.length));
  const pairs = types
    .map((t) => padded(t, rank))
    .reduce((a, b) => a.map((pair, i) => broadcastAxis(pair, b[i] ?? [1, ''])));
  return { shape: pairs.map((p) => p[0]), axes: pairs.map((p) => p[1]) };
};

const sameType = (allowed: readonly DType[]): Rule<object> => takes(1, allowed, (_, types) => operand(types, 0));

const matched = (_: object, types: Operands): ValueType => {
  const dtype = operand(types, 0).dtype;
  if (types.some((t) => t.dtype !== dtype)) throw wrong(`operands of types ${types.map((t) => t.dtype).join(', ')}`);
  return { dtype, ...broadcast(types) };
};

const arithmetic = takes(2, numeric, matched);
const extreme = takes('some', numeric, matched);
const logic = takes(2, truth, matched);

const comparison = (allowed: readonly DType[]): Rule<object> =>
  takes(2, allowed, (attrs, types) => ({ ...matched(attrs, types), dtype: 'bool' }));

const where = (_: object, types: Operands): ValueType => {
  if (operand(types, 0).dtype !== 'bool') throw wrong('the condition of Where must be bool');
  const { dtype } = matched({}, types.slice(1));
  return { dtype, ...broadcast(types) };
};

const checkAxis = (type: ValueType, axis: number): number => {
  if (!Number.isInteger(axis) || axis < 0 || axis >= type.shape.length)
    throw wrong(`axis ${axis} of a value with ${type.shape.length} axes`);
  return axis;
};

const replaceAt = <T>(list: readonly T[], at: number, item: T): T[] => list.map((old, i) => (i === at ? item : old));

const softmax = ({ axis }: OpAttrs['Softmax'], types: Operands): ValueType => {
  const x = operand(types, 0);
  if (checkAxis(x, axis) !== x.shape.length - 1) throw wrong('Softmax is taken over the last axis');
  return x;
};

const reduce = ({ axis }: { readonly axis: number }, types: Operands): ValueType => {
  const x = operand(types, 0);
  return { ...x, shape: replaceAt(x.shape, checkAxis(x, axis), 1) };
};

const topK = ({ k, name }: OpAttrs['TopK'], types: Operands): ValueType => {
  const x = operand(types, 0);
  const last = x.shape.length - 1;
  const extent = x.shape[last];
  if (typeof extent !== 'number' || !Number.isInteger(k) || k < 1 || k > extent)
    throw wrong(`TopK of ${k} among ${extent ?? 'nothing'}`);
  return { dtype: 'int64', shape: replaceAt(x.shape, last, k), axes: replaceAt(x.axes, last, name) };
};

const matMul = (_: object, types: Operands): ValueType => {
  const [a, b] = [operand(types, 0), operand(types, 1)];
  if (a.dtype !== b.dtype) throw wrong(`MatMul of ${a.dtype} and ${b.dtype}`);
  const [rankA, rankB] = [a.shape.length, b.shape.length];
  if (rankA < 2 || rankB < 2) throw wrong('MatMul needs two axes at least on both sides');
  const [inner, contracted] = [a.shape[rankA - 1] ?? 0, b.shape[rankB - 2] ?? 0];
  if (inner !== contracted) throw wrong(`MatMul over extents ${inner} and ${contracted}`);
  if (a.axes[rankA - 1] !== b.axes[rankB - 2])
    throw wrong(`MatMul over axes ${a.axes[rankA - 1] ?? ''} and ${b.axes[rankB - 2] ?? ''}`);
  const lead = (t: ValueType): ValueType => ({ ...t, shape: t.shape.slice(0, -2), axes: t.axes.slice(0, -2) });
  const batch = broadcast([lead(a), lead(b)]);
  return {
    dtype: a.dtype,
    shape: [...batch.shape, a.shape[rankA - 2] ?? 1, b.shape[rankB - 1] ?? 1],
    axes: [...batch.axes, a.axes[rankA - 2] ?? '', b.axes[rankB - 1] ?? ''],
  };
};

const linear = ({ layout, axis }: OpAttrs['Linear'], types: Operands): ValueType => {
  const [x, w] = [operand(types, 0), operand(types, 1)];
  const [outDim, inDim] = layout === 'out,in' ? [w.shape[0], w.shape[1]] : [w.shape[1], w.shape[0]];
  if (w.shape.length !== 2 || outDim === undefined) throw wrong('the weight of Linear has two axes');
  if (x.dtype !== w.dtype) throw wrong(`Linear of ${x.dtype} and ${w.dtype}`);
  const last = x.shape.length - 1;
  if (x.shape[last] !== inDim) throw wrong(`Linear reads ${inDim ?? '?'} numbers and is given ${x.shape[last] ?? '?'}`);
  return { dtype: x.dtype, shape: replaceAt(x.shape, last, outDim), axes: replaceAt(x.axes, last, axis) };
};

const reshape = ({ shape, axes }: OpAttrs['Reshape'], types: Operands): ValueType => {
  const x = operand(types, 0);
  if (shape.length !== axes.length) throw wrong('Reshape names another number of axes than it makes');
  if (shape.some((n) => !Number.isInteger(n) || n < -1) || shape.indexOf(-1) !== shape.lastIndexOf(-1))
    throw wrong(`[${shape.join(', ')}] is no shape: one -1 at most`);
  const known = shape.map((n, i) => (n === 0 ? x.shape[i] : n));
  if (known.some((d) => d === undefined)) throw wrong('Reshape copies the extent of an axis that is not there');
  const others = multiplyDims(known.filter((d): d is Dim => d !== undefined && d !== -1));
  const whole = multiplyDims(x.shape);
  const rest = shape.includes(-1) ? divideDims(whole, others) : 1;
  if (rest === undefined || (!shape.includes(-1) && whole !== others))
    throw wrong(`Reshape from [${x.shape.join(', ')}] to [${shape.join(', ')}]`);
  return { dtype: x.dtype, shape: known.map((d) => (d === -1 ? rest : (d ?? 1))), axes };
};

const transpose = ({ perm, axes }: OpAttrs['Transpose'], types: Operands): ValueType => {
  const x = operand(types, 0);
  if ([...perm].sort((a, b) => a - b).some((p, i) => p !== i) || perm.length !== x.shape.length)
    throw wrong(`[${perm.join(', ')}] is no permutation of ${x.shape.length} axes`);
  return { dtype: x.dtype, shape: perm.map((p) => x.shape[p] ?? 1), axes };
};

const slice = ({ axis, start, end }: OpAttrs['Slice'], types: Operands): ValueType => {
  const x = operand(types, 0);
  const extent = x.shape[checkAxis(x, axis)];
  if (typeof extent !== 'number') throw wrong('Slice cuts axes of fixed extent only');
  if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end > extent || start >= end)
    throw wrong(`Slice ${start}..${end} of ${extent}`);
  return { ...x, shape: replaceAt(x.shape, axis, end - start) };
};

const summed = (dims: readonly Dim[], name: string | undefined): Dim => {
  if (name !== undefined) return name;
  if (dims.some((d) => typeof d !== 'number')) throw wrong('Concat of open extents must name their sum');
  return dims.reduce<number>((a, d) => a + Number(d), 0);
};

const concat = ({ axis, extent }: OpAttrs['Concat'], types: Operands): ValueType => {
  const x = operand(types, 0);
  checkAxis(x, axis);
  for (const t of types)
    if (
      t.dtype !== x.dtype ||
      t.shape.length !== x.shape.length ||
      t.shape.some((d, i) => i !== axis && d !== x.shape[i])
    )
      throw wrong(`Concat of [${x.shape.join(', ')}] and [${t.shape.join(', ')}] along axis ${axis}`);
  const dims = types.map((t) => t.shape[axis] ?? 1);
  const axes = extent === undefined ? x.axes : replaceAt(x.axes, axis, extent);
  return { dtype: x.dtype, shape: replaceAt(x.shape, axis, summed(dims, extent)), axes };
};

const gather = ({ axis }: OpAttrs['Gather'], types: Operands): ValueType => {
  const [data, indices] = [operand(types, 0), operand(types, 1)];
  checkAxis(data, axis);
  if (indices.dtype !== 'int64') throw wrong('Gather is indexed by int64');
  return {
    dtype: data.dtype,
    shape: [...data.shape.slice(0, axis), ...indices.shape, ...data.shape.slice(axis + 1)],
    axes: [...data.axes.slice(0, axis), ...indices.axes, ...data.axes.slice(axis + 1)],
  };
};

const formOf = (dtype: DType, { shape, axes }: ValueType): ValueType => ({ dtype, shape, axes });

const reshapeLike = (_: object, types: Operands): ValueType => {
  const [x, like] = [operand(types, 0), operand(types, 1)];
  if (multiplyDims(x.shape) !== multiplyDims(like.shape))
    throw wrong(`ReshapeLike from [${x.shape.join(', ')}] to [${like.shape.join(', ')}]`);
  return formOf(x.dtype, like);
};

const expandLike = (_: object, types: Operands): ValueType => {
  const [x, like] = [operand(types, 0), operand(types, 1)];
  if (broadcast([like, x]).shape.join() !== like.shape.join())
    throw wrong(`ExpandLike from [${x.shape.join(', ')}] to [${like.shape.join(', ')}]`);
  return formOf(x.dtype, like);
};

const scatterAdd = (_: object, types: Operands): ValueType => {
  const [like, rows, updates] = [operand(types, 0), operand(types, 1), operand(types, 2)];
  if (rows.dtype !== 'int64' || !floating.includes(updates.dtype)) throw wrong('ScatterAdd adds numbers to int64 rows');
  if (like.shape.length !== 2 || [...rows.shape, like.shape[1]].join() !== updates.shape.join())
    throw wrong(
      `ScatterAdd of [${updates.shape.join(', ')}] at [${rows.shape.join(', ')}] to [${like.shape.join(', ')}]`,
    );
  return formOf(updates.dtype, like);
};

const part = ({ axis, index }: OpAttrs['Part'], types: Operands): ValueType => {
  const [joined, ...parts] = types;
  const own = parts[index];
  if (!joined || !own) throw wrong(`there is no part ${index}`);
  checkAxis(joined, axis);
  for (const t of parts)
    if (t.shape.length !== joined.shape.length || t.shape.some((d, i) => i !== axis && d !== joined.shape[i]))
      throw wrong(`a Part of [${t.shape.join(', ')}] in [${joined.shape.join(', ')}] along axis ${axis}`);
  return formOf(joined.dtype, own);
};

const constant = ({ dtype, shape, axes, values }: OpAttrs['Constant']): ValueType => {
  if (values.length !== sizeOf(shape)) throw wrong(`a Constant of [${shape.join(', ')}] with ${values.length} values`);
  return { dtype, shape, axes };
};

/** Type of an operation's output from those of its operands; throws BugError GRAPH_INVALID where they do not fit. */
export const infer: OpTable<[types: Operands], ValueType> = {
  Neg: sameType(numeric),
  Abs: sameType(numeric),
  Sqrt: sameType(floating),
  Reciprocal: sameType(floating),
  Exp: sameType(floating),
  Log: sameType(floating),
  Tanh: sameType(floating),
  Sigmoid: sameType(floating),
  Erf: sameType(floating),
  Relu: sameType(numeric),
  Gelu: sameType(floating),
  Not: sameType(truth),
  Cast: takes(1, anything, ({ to }, types) => ({ ...operand(types, 0), dtype: to })),
  Add: arithmetic,
  Sub: arithmetic,
  Mul: arithmetic,
  Div: arithmetic,
  Pow: arithmetic,
  Min: extreme,
  Max: extreme,
  Greater: comparison(numeric),
  Less: comparison(numeric),
  Equal: comparison(anything),
  And: logic,
  Or: logic,
  Where: takes(3, anything, where),
  Softmax: takes(1, floating, softmax),
  ReduceSum: takes(1, numeric, reduce),
  ReduceMean: takes(1, numeric, reduce),
  ReduceMax: takes(1, numeric, reduce),
  ReduceMin: takes(1, numeric, reduce),
  TopK: takes(1, floating, topK),
  MatMul: takes(2, floating, matMul),
  Linear: takes(2, floating, linear),
  Reshape: takes(1, anything, reshape),
  Transpose: takes(1, anything, transpose),
  Slice: takes(1, anything, slice),
  Concat: takes('some', anything, concat),
  Gather: takes(2, anything, gather),
  ReshapeLike: takes(2, anything, reshapeLike),
  ExpandLike: takes(2, anything, expandLike),
  ScatterAdd: takes(3, anything, scatterAdd),
  Part: takes('some', anything, part),
  Constant: takes(0, anything, constant),
};

/** `infer` for an operator that is only known at run time. */
export const inferNode = (op: OpName, attrs: OpAttrs[OpName], types: Operands): ValueType =>
  (infer[op] as (attrs: object, types: Operands) => ValueType)(attrs, types);
