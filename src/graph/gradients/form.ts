import {
  concatAs,
  concatAt,
  constant,
  expandLike,
  gather,
  partAt,
  reshape,
  reshapeLike,
  scatterAdd,
  transpose,
} from '../algebra.js';
import type { Value } from '../builder.js';
import type { OpAttrs } from '../ops.js';
import { operandOf, type GradientRule } from './rule.js';

export const reshaping: GradientRule<object> = (_, at) => [() => reshapeLike(at.upstream, operandOf(at, 0))];

/** What was stretched is summed by whoever asks for this gradient. */
export const stretching: GradientRule<object> = (_, { upstream }) => [() => upstream];

export const transposing: GradientRule<OpAttrs['Transpose']> = ({ perm }, at) => [
  () =>
    transpose(
      at.upstream,
      perm.map((_, axis) => perm.indexOf(axis)),
      operandOf(at, 0).type.axes,
    ),
];

const cutOut = (x: Value, axis: number, [start, end]: readonly [number, number]): Value =>
  x.builder.op('Slice', { axis, start, end }, [x]);

const zerosLike = (x: Value): Value => expandLike(constant(x, 0), x);

/** The gradient of a part of a value along an axis. */
export interface Slice extends Readonly<OpAttrs['Slice']> {
  readonly gradient: Value;
}

/** Slices of one axis that do not overlap, side by side, with zeros where none is. */
const joinedSlices = (x: Value, axis: number, slices: readonly Slice[]): Value => {
  const extent = Number(x.type.shape[axis]);
  const parts: Value[] = [];
  let from = 0;
  for (const { start, end, gradient } of slices) {
    if (start > from) parts.push(zerosLike(cutOut(x, axis, [from, start])));
    parts.push(gradient);
    from = end;
  }
  if (from < extent) parts.push(zerosLike(cutOut(x, axis, [from, extent])));
  return concatAt(parts, axis);
};

/** The gradients that slices of a value have for it, as few as can be: those that do not overlap are one. */
export const spliced = (x: Value, slices: readonly Slice[]): readonly Value[] => {
  const rows: { readonly axis: number; readonly slices: Slice[] }[] = [];
  for (const slice of [...slices].sort((a, b) => a.start - b.start)) {
    const room = rows.find((row) => row.axis === slice.axis && (row.slices.at(-1)?.end ?? 0) <= slice.start);
    if (room) room.slices.push(slice);
    else rows.push({ axis: slice.axis, slices: [slice] });
  }
  return rows.map((row) => joinedSlices(x, row.axis, row.slices));
};

/** Zeros before and behind. */
export const slicing: GradientRule<OpAttrs['Slice']> = (attrs, at) => [
  () => joinedSlices(operandOf(at, 0), attrs.axis, [{ ...attrs, gradient: at.upstream }]),
];

/** Each operand's part. */
export const joining: GradientRule<OpAttrs['Concat']> = ({ axis }, { inputs, upstream }) =>
  inputs.map((_, index) => () => {
    const extents = inputs.slice(0, index + 1).map((x) => x.type.shape[axis]);
    const open = typeof upstream.type.shape[axis] === 'string';
    if (open || extents[index] === 0) return partAt(upstream, inputs, { axis, index });
    const end = extents.reduce<number>((total, extent) => total + Number(extent), 0);
    return cutOut(upstream, axis, [end - Number(extents[index]), end]);
  });

/** Zeros where the other parts are. */
export const parting: GradientRule<OpAttrs['Part']> = ({ axis, index }, at) => [
  () => {
    const joined = operandOf(at, 0);
    const parts = at.inputs.slice(1).map((x, i) => (i === index ? at.upstream : zerosLike(x)));
    const extent = joined.type.shape[axis];
    return typeof extent === 'string' ? concatAs(parts, axis, extent) : concatAt(parts, axis);
  },
];

const moved = (x: Value, order: readonly number[]): Value =>
  order.every((from, i) => from === i)
    ? x
    : transpose(
        x,
        order,
        order.map((from) => x.type.axes[from] ?? ''),
      );

/** The first axes as rows, the others as columns. Several open extents on both sides are joined one side at a time. */
const flattened = (x: Value, lead: number): Value => {
  const rest = x.type.shape.slice(lead);
  if (rest.every((d) => typeof d === 'number')) return reshape(x, [-1, rest.reduce((n, d) => n * d, 1)], flatAxes);
  if (lead < 2) return reshape(x, [lead === 0 ? 1 : 0, -1], flatAxes);
  const columns = reshape(
    x,
    [...x.type.shape.slice(0, lead).map(() => 0), -1],
    [...x.type.axes.slice(0, lead), 'column'],
  );
  const turned = moved(columns, [lead, ...Array.from({ length: lead }, (_, i) => i)]);
  return moved(reshape(turned, [0, -1], ['column', 'row']), [1, 0]);
};
const flatAxes = ['row', 'column'];

const numbersBelow = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Each row that was read is added where it was read: rows come first for that, and go back. */
export const gathering: GradientRule<OpAttrs['Gather']> = ({ axis }, at) => [
  () => {
    const [table, indices] = [operandOf(at, 0), operandOf(at, 1)];
    const front = [axis, ...numbersBelow(table.type.shape.length).filter((i) => i !== axis)];
    const chosen = indices.type.shape.map((_, i) => axis + i);
    const others = numbersBelow(at.upstream.type.shape.length).filter((i) => !chosen.includes(i));
    const turned = moved(table, front);
    const updates = flattened(moved(at.upstream, [...chosen, ...others]), chosen.length);
    const sums = scatterAdd(flattened(turned, 1), reshape(indices, [-1], ['row']), updates);
    return moved(
      reshapeLike(sums, turned),
      numbersBelow(front.length).map((i) => front.indexOf(i)),
    );
  },
];

/** What was read at those rows. */
export const scattering: GradientRule<object> = (_, at) => [
  undefined,
  undefined,
  () => gather(at.upstream, operandOf(at, 1)),
];
