import { bug } from '../../base/index.js';
import { maskInput, operandInput, type ValueEdit, type ValueType } from '../../graph/index.js';
import { bool, float32, float64, sizeOf, stridesOf, type FloatTensor, type Tensor } from '../../tensor/index.js';
import type { LiveEdit } from '../run/request.js';
import type { Rows } from '../run/rows.js';

/** What a part of a value is changed to. A tensor has the site's shape over the whole sequence, or extent 1 along an axis. */
export type ChangeTo =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'scale'; readonly by: number }
  /** Each number is replaced by the one at the same place. */
  | { readonly kind: 'value'; readonly tensor: FloatTensor }
  | { readonly kind: 'add'; readonly tensor: FloatTensor };

/** A change of a part of a site's value in the prefill. */
export interface Change {
  /** By its name in the run order. */
  readonly site: string;
  /** Absolute indices along each axis, undefined: all. */
  readonly indices: readonly (readonly number[] | undefined)[];
  readonly to: ChangeTo;
}

/** The absolute index of each local one, along each axis of a value; −1 for the second copy of a doubled row. */
export type Frame = readonly (readonly number[])[];

const countings = new Map<number, readonly number[]>();

/** The same list for the same number: a sweep asks for a model's width some thousand times. */
const counted = (n: number): readonly number[] => {
  const known = countings.get(n) ?? Array.from({ length: n }, (_, i) => i);
  countings.set(n, known);
  return known;
};

/** The frame of a value that a pass over these rows computed. */
export const frameOf = ({ axes, shape }: ValueType, rows: Rows): Frame =>
  axes.map((axis, a) => {
    const dim = shape[a];
    if (typeof dim === 'number') return counted(dim);
    if (dim === 'batch') return [0];
    if (dim === 'position') return rows.positions;
    if (axis === 'key' || dim === 'key') return rows.keys;
    if (dim === 'source') return rows.source?.keys ?? rows.keys;
    throw bug(`axis ${axis} has an extent that cannot be counted: ${String(dim)}`);
  });

/** The local indices that a change reaches along each axis; a doubled row is changed twice. */
const localsOf = (change: Change, frame: Frame): readonly (readonly number[])[] =>
  frame.map((absolute, a) => {
    const wanted = change.indices[a];
    const all = counted(absolute.length);
    if (!wanted) return all;
    const chosen = new Set(wanted);
    const own = (i: number): number => {
      const index = absolute[i] ?? -1;
      return index < 0 ? (absolute[i - 1] ?? -1) : index;
    };
    return all.filter((i) => chosen.has(own(i)));
  });

/** Numbers that a change reaches one after the other: where they are, and where in the tensor that they come from. */
interface Reach {
  readonly local: number;
  readonly from: number;
  readonly count: number;
  /** From one number to the next in that tensor: 0 where one stands for all. */
  readonly step: number;
}

/** Calls back for all numbers that a change reaches, those of a whole last axis at once. */
const eachReached = (
  {
    change,
    frame,
    source,
  }: { readonly change: Change; readonly frame: Frame; readonly source?: FloatTensor | undefined },
  at: (reach: Reach) => void,
): void => {
  const locals = localsOf(change, frame);
  const strides = stridesOf(frame.map((axis) => axis.length));
  const sourceStrides = source ? stridesOf(source.shape) : [];
  const last = frame.length - 1;
  const innermost = frame[last] ?? [];
  const isCounted = innermost === counted(innermost.length) || innermost.every((index, i) => index === i);
  const visit = (a: number, offset: number, from: number): void => {
    if (a > last) {
      at({ local: offset, from, count: 1, step: 0 });
      return;
    }
    const [stride, step] = [strides[a] ?? 1, (source?.shape[a] ?? 1) > 1 ? (sourceStrides[a] ?? 0) : 0];
    const absolute = frame[a] ?? [];
    if (a === last && isCounted && change.indices[a] === undefined) {
      at({ local: offset, from, count: absolute.length, step });
      return;
    }
    for (const i of locals[a] ?? []) visit(a + 1, offset + i * stride, from + Math.max(absolute[i] ?? 0, 0) * step);
  };
  visit(0, 0, 0);
};

const sourceOf = ({ to }: Change): FloatTensor | undefined =>
  to.kind === 'value' || to.kind === 'add' ? to.tensor : undefined;

/** The changed number, in the precision of the value: as the graph's own operations would make it. */
const changedNumber = (to: ChangeTo, old: number, given: number): number => {
  switch (to.kind) {
    case 'number':
      return to.value;
    case 'scale':
      return old * Math.fround(to.by);
    case 'value':
      return given;
    case 'add':
      return old + given;
  }
};

/** A copy of one sequence's value with changes made, in their order. The frame's extents are the value's. */
export const changedValue = <T extends FloatTensor>(value: T, changes: readonly Change[], frame: Frame): T => {
  const data = value.data.slice();
  for (const change of changes) {
    const source = sourceOf(change);
    eachReached({ change, frame, source }, ({ local, from, count, step }) => {
      if (source && change.to.kind === 'value' && step === 1) {
        data.set(source.data.subarray(from, from + count), local);
        return;
      }
      for (let i = 0; i < count; i++)
        data[local + i] = changedNumber(change.to, data[local + i] ?? NaN, source?.data[from + i * step] ?? NaN);
    });
  }
  return { ...value, data };
};

const formOf = { number: 'replace', value: 'replace', scale: 'scale', add: 'add' } as const;

/** The numbers of one edit for a batch: where it holds, and what it puts there. */
const numbersOf = (
  edit: ValueEdit,
  {
    batch,
    type,
    rows,
  }: { readonly batch: readonly (Change | undefined)[]; readonly type: ValueType; readonly rows: Rows },
): Map<string, Tensor> => {
  const frame = frameOf(type, rows);
  const shape = frame.map((axis, a) => (type.shape[a] === 'batch' ? batch.length : axis.length));
  const each = sizeOf(frame.map((axis) => axis.length));
  const mask = new Uint8Array(each * batch.length);
  const operand = type.dtype === 'float64' ? new Float64Array(mask.length) : new Float32Array(mask.length);
  batch.forEach((change, b) => {
    if (!change) return;
    const source = sourceOf(change);
    const { to } = change;
    const single = to.kind === 'number' ? to.value : to.kind === 'scale' ? to.by : NaN;
    eachReached({ change, frame, source }, ({ local, from, count, step }) => {
      const start = b * each + local;
      mask.fill(1, start, start + count);
      for (let i = 0; i < count; i++) operand[start + i] = source?.data[from + i * step] ?? single;
    });
  });
  const numbers = operand instanceof Float64Array ? float64(shape, operand) : float32(shape, operand);
  return new Map<string, Tensor>([
    [maskInput(edit), bool(shape, mask)],
    [operandInput(edit), numbers],
  ]);
};

/**
 * Changes that the sequences of a batch make of one site, as edits of its graph: one for each form and turn.
 * @param batch the changes of each sequence at this site, in their order
 */
export const batchedEdits = (
  { site, type, tag }: { readonly site: string; readonly type: ValueType; readonly tag: string },
  batch: readonly (readonly Change[])[],
): LiveEdit[] => {
  const most = Math.max(...batch.map((changes) => changes.length));
  const edits: LiveEdit[] = [];
  for (let turn = 0; turn < most; turn++)
    for (const form of ['replace', 'scale', 'add'] as const) {
      const own = batch.map((changes) => {
        const change = changes[turn];
        return change && formOf[change.to.kind] === form ? change : undefined;
      });
      if (own.every((change) => !change)) continue;
      const axes = type.axes;
      const edit: ValueEdit = { site, tag: `${tag}.${turn}.${form}`, form, maskAxes: axes, operandAxes: axes };
      edits.push({ edit, numbers: (rows) => numbersOf(edit, { batch: own, type, rows }) });
    }
  return edits;
};

/** The first row that a change reaches along an axis of the model's own sequence; 0 where it reaches all. */
export const firstRow = (change: Change, { axes }: ValueType): number => {
  const at = axes.findIndex((axis) => axis === 'position' || axis === 'query');
  const rows = at < 0 ? undefined : change.indices[at];
  return rows && rows.length > 0 ? Math.min(...rows) : 0;
};
