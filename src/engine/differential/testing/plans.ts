import type { OpName } from '../../../graph/index.js';
import type { Axis, Draft, Entry } from './draft.js';

/** Random numbers that a plan makes its choices with. */
export type Picks = readonly [number, number, number];

/** Adds an operation to a graph, with operands from it or new ones; undefined where nothing fits. */
type Plan = (draft: Draft, picks: Picks) => Entry | undefined;

const fresh: readonly (readonly [string, number])[] = [
  ['a', 2],
  ['b', 3],
  ['c', 5],
  ['one', 1],
];
const at = <T>(list: readonly T[], pick: number): T => list[pick % list.length] as T;

/** The entries, beginning somewhere. */
const from = (entries: readonly Entry[], pick: number): Entry[] => {
  const start = entries.length === 0 ? 0 : pick % entries.length;
  return [...entries.slice(start), ...entries.slice(0, start)];
};

/** The first result that is one. */
const firstOf = (entries: readonly Entry[], make: (entry: Entry) => Entry | undefined): Entry | undefined => {
  for (const entry of entries) {
    const made = make(entry);
    if (made) return made;
  }
  return undefined;
};

const unary =
  (op: OpName, attrs: (pick: number) => object = () => ({})): Plan =>
  (draft, [p, q]) =>
    firstOf(from(draft.entries, p), (x) => draft.add(op, attrs(q), [x]));

/** Two values that fit, or one twice. */
const binary =
  (op: OpName): Plan =>
  (draft, [p, q]) =>
    firstOf(from(draft.entries, p).slice(0, 3), (a) =>
      firstOf([...from(draft.entries, q).slice(0, 5), a], (b) => draft.add(op, {}, [a, b])),
    );

const axesOf = (entry: Entry): Axis[] => entry.type.axes.map((name, i) => [name, entry.type.shape[i] ?? 1]);

/** A truth value of a shape that fits this one: all of it, or its last axes with a 1 among them. */
const truthFor = (draft: Draft, entry: Entry, pick: number): Entry => {
  const axes = axesOf(entry).slice(pick % (entry.shape.length + 1));
  const some = axes.map(([name, dim], i): Axis => [name, (pick >> i) % 3 === 2 ? 1 : dim]);
  return draft.input('truths', some);
};

const logical =
  (op: 'And' | 'Or'): Plan =>
  (draft, [p, q, r]) => {
    const known = from(draft.entries, p).find((e) => e.dtype === 'bool');
    const a = known ?? truthFor(draft, at(draft.entries, p), q);
    const others = draft.entries.filter((e) => e.dtype === 'bool');
    return firstOf([...from(others, r), truthFor(draft, a, q)], (b) => draft.add(op, {}, [a, b]));
  };

const not: Plan = (draft, [p, q]) => {
  const known = from(draft.entries, p).find((e) => e.dtype === 'bool');
  return draft.add('Not', {}, [known ?? truthFor(draft, at(draft.entries, p), q)]);
};

const where: Plan = (draft, [p, q, r]) =>
  firstOf(from(draft.entries, p).slice(0, 4), (a) => {
    const condition = from(draft.entries, r).find((e) => e.dtype === 'bool') ?? truthFor(draft, a, r);
    return firstOf([...from(draft.entries, q).slice(0, 5), a], (b) => draft.add('Where', {}, [condition, a, b]));
  });

/** An operator with an axis: the last, or any. */
const along =
  (op: 'Softmax' | 'ReduceSum' | 'ReduceMean' | 'ReduceMax' | 'ReduceMin'): Plan =>
  (draft, [p, q]) =>
    firstOf(from(draft.entries, p), (x) => {
      const rank = x.shape.length;
      return rank === 0 ? undefined : draft.add(op, { axis: op === 'Softmax' ? rank - 1 : q % rank }, [x]);
    });

/** Of a single row: onnxruntime ends the process where there are no rows at all. */
const largest: Plan = (draft, [p]) =>
  firstOf(from(draft.entries, p), (x) =>
    x.shape.length === 1 ? draft.add('TopK', { k: 2, name: 'a' }, [x]) : undefined,
  );

/** With a value that fits, with itself transposed, or with a new one. */
const matMul: Plan = (draft, [p, q, r]) =>
  firstOf(from(draft.entries, p), (x) => {
    const rank = x.shape.length;
    if (rank < 2 || x.dtype !== 'float32') return undefined;
    const swapped = [...x.shape.keys()].map((i) => (i < rank - 2 ? i : 2 * rank - 3 - i));
    if (r % 3 === 0) {
      const axes = swapped.map((i) => x.type.axes[i] ?? '');
      const turned = draft.add('Transpose', { perm: swapped, axes }, [x]);
      if (turned) return draft.add('MatMul', {}, [x, turned]);
    }
    const known = r % 3 === 1 ? firstOf(from(draft.entries, q), (y) => draft.add('MatMul', {}, [x, y])) : undefined;
    const inner = axesOf(x).slice(-1);
    const lead = axesOf(x).slice(q % rank, -2);
    return known ?? draft.add('MatMul', {}, [x, draft.input('signed', [...lead, ...inner, at(fresh, q)])]);
  });

const linear: Plan = (draft, [p, q, r]) =>
  firstOf(from(draft.entries, p), (x) => {
    const inner = x.type.shape.at(-1);
    if (typeof inner !== 'number' || x.dtype !== 'float32') return undefined;
    const [axis, extent] = at(fresh, q);
    const layout = r % 2 === 0 ? 'out,in' : 'in,out';
    const [out, into] = [[axis, extent] as const, [x.type.axes.at(-1) ?? '', inner] as const];
    const w = draft.param(layout === 'out,in' ? [out, into] : [into, out]);
    return draft.add('Linear', { layout, axis }, [x, w]);
  });

/** Flat; the last two axes joined; the last axis split; or an axis of 1 more. */
const shapesOf = ({ type }: Entry): readonly number[][] => {
  const copies = type.shape.map(() => 0);
  const last = type.shape.at(-1);
  const splits = typeof last === 'number' && last > 1 ? [[...copies.slice(0, -1), 1, last]] : [];
  const merged = copies.length > 1 ? [[...copies.slice(0, -2), -1]] : [];
  return [[-1], ...merged, ...splits, [...copies, 1], copies];
};

const reshape: Plan = (draft, [p, q]) =>
  firstOf(from(draft.entries, p), (x) => {
    const shape = at(shapesOf(x), q);
    const axes = shape.map((n, i) => (n === 0 ? (x.type.axes[i] ?? '') : `r${i}`));
    return draft.add('Reshape', { shape, axes }, [x]);
  });

const transpose: Plan = (draft, [p, q, r]) =>
  firstOf(from(draft.entries, p), (x) => {
    const rank = x.shape.length;
    if (rank < 2) return undefined;
    const turned = [...x.shape.keys()].map((i) => (i + q) % rank);
    const perm = r % 2 === 0 ? turned : turned.toReversed();
    return draft.add('Transpose', { perm, axes: perm.map((i) => x.type.axes[i] ?? '') }, [x]);
  });

const slice: Plan = (draft, [p, q, r]) =>
  firstOf(from(draft.entries, p), (x) => {
    const fixed = [...x.shape.keys()].filter((i) => typeof x.type.shape[i] === 'number');
    if (fixed.length === 0) return undefined;
    const axis = at(fixed, q);
    const extent = x.shape[axis] ?? 1;
    const start = r % extent;
    return draft.add('Slice', { axis, start, end: start + 1 + (q % (extent - start)) }, [x]);
  });

/** Two or three values; a sum of open extents gets a name. */
const concat: Plan = (draft, [p, q, r]) =>
  firstOf(from(draft.entries, p).slice(0, 4), (x) => {
    if (x.shape.length === 0) return undefined;
    const axis = q % x.shape.length;
    return firstOf([...from(draft.entries, r).slice(0, 5), x], (y) => {
      const parts = q % 2 === 0 ? [x, y] : [y, x, x];
      const open = parts.some((e) => typeof e.type.shape[axis] !== 'number');
      const alike = y.shape.length === x.shape.length && y.shape.every((n, i) => i === axis || n === x.shape[i]);
      if (!alike) return undefined;
      const total = parts.reduce((n, e) => n + (e.shape[axis] ?? 0), 0);
      return draft.add('Concat', { axis, ...(open ? { extent: draft.nameExtent(total) } : {}) }, parts);
    });
  });

const gather: Plan = (draft, [p, q, r]) =>
  firstOf(from(draft.entries, p), (x) => {
    const axis = q % Math.max(1, x.shape.length);
    const extent = x.shape[axis] ?? 0;
    if (extent === 0) return undefined;
    const shapes: readonly (readonly Axis[])[] = [
      [],
      [['b', 3]],
      [['position', 'position']],
      [
        ['batch', 'batch'],
        ['a', 2],
      ],
    ];
    const indices = draft.input('integers', at(shapes, r), { low: -extent, high: extent - 1, error: 0 });
    return draft.add('Gather', { axis }, [x, indices]);
  });

const reshapeLike: Plan = (draft, [p, q]) =>
  firstOf(from(draft.entries, p), (x) =>
    firstOf(from(draft.entries, q), (like) =>
      x.dtype === 'bool' || like.id === x.id ? undefined : draft.add('ReshapeLike', {}, [x, like]),
    ),
  );

const expandLike: Plan = (draft, [p, q]) =>
  firstOf(from(draft.entries, p), (like) => {
    const smaller = axesOf(like)
      .slice(q % (like.shape.length + 1))
      .map(([name, dim], i): Axis => [name, (q >> i) % 2 === 1 ? 1 : dim]);
    return draft.add('ExpandLike', {}, [draft.input('signed', smaller), like]);
  });

const scatterAdd: Plan = (draft, [p, q]) =>
  firstOf(from(draft.entries, p), (x) => {
    const [rows, width] = x.shape;
    if (x.shape.length !== 2 || rows === undefined || width === undefined || rows === 0) return undefined;
    const count = at(['position', 'b'], q);
    const axis: Axis = [count, count === 'b' ? 3 : count];
    const indices = draft.input('integers', [axis], { low: -rows, high: rows - 1, error: 0 });
    const updates = draft.input('signed', [axis, ...axesOf(x).slice(1)]);
    return draft.add('ScatterAdd', {}, [x, indices, updates]);
  });

/** Joins two or three values, and takes one of them out again. */
const part: Plan = (draft, [p, q, r]) => {
  const joined = concat(draft, [p, q, r]);
  const node = joined && draft.made(joined);
  if (node?.op !== 'Concat') return undefined;
  const parts = node.inputs.flatMap((id) => draft.entries.find((e) => e.id === id) ?? []);
  return joined && draft.add('Part', { axis: node.attrs.axis, index: r % parts.length }, [joined, ...parts]);
};

const constant: Plan = (draft, [p, q, r]) => {
  const dtype = at(['float32', 'float32', 'int64', 'bool'] as const, p);
  const [axis, extent] = at(fresh, q);
  const count = r % 2 === 0 ? 1 : extent;
  const numbers = Array.from({ length: count }, (_, i) => ((p + i * q) % 17) / 4 - 2);
  const values = dtype === 'float32' ? numbers : numbers.map((x) => (dtype === 'bool' ? Number(x > 0) : Math.trunc(x)));
  return draft.add(
    'Constant',
    { dtype, shape: r % 2 === 0 ? [] : [extent], axes: r % 2 === 0 ? [] : [axis], values },
    [],
  );
};

/** How each operator comes into a random graph. */
export const plans: Readonly<Record<OpName, Plan>> = {
  Neg: unary('Neg'),
  Abs: unary('Abs'),
  Sqrt: unary('Sqrt'),
  Reciprocal: unary('Reciprocal'),
  Exp: unary('Exp'),
  Log: unary('Log'),
  Tanh: unary('Tanh'),
  Sigmoid: unary('Sigmoid'),
  Erf: unary('Erf'),
  Relu: unary('Relu'),
  Gelu: unary('Gelu', (pick) => ({ approximate: at(['none', 'tanh'], pick) })),
  Not: not,
  Cast: unary('Cast', (pick) => ({ to: at(['float32', 'int64', 'bool'], pick) })),
  Add: binary('Add'),
  Sub: binary('Sub'),
  Mul: binary('Mul'),
  Div: binary('Div'),
  Pow: binary('Pow'),
  Min: binary('Min'),
  Max: binary('Max'),
  Greater: binary('Greater'),
  Less: binary('Less'),
  Equal: binary('Equal'),
  And: logical('And'),
  Or: logical('Or'),
  Where: where,
  Softmax: along('Softmax'),
  ReduceSum: along('ReduceSum'),
  ReduceMean: along('ReduceMean'),
  ReduceMax: along('ReduceMax'),
  ReduceMin: along('ReduceMin'),
  TopK: largest,
  MatMul: matMul,
  Linear: linear,
  Reshape: reshape,
  Transpose: transpose,
  Slice: slice,
  Concat: concat,
  Gather: gather,
  ReshapeLike: reshapeLike,
  ExpandLike: expandLike,
  ScatterAdd: scatterAdd,
  Part: part,
  Constant: constant,
};
