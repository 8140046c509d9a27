import { UsageError } from '../../base/index.js';
import { maskInput, operandInput, type Stack, type ValueEdit, type ValueType } from '../../graph/index.js';
import { resolveSelector, type Where } from '../../language/index.js';
import { bool, float32, sizeOf, type Tensor } from '../../tensor/index.js';
import type { Tensors } from '../backend.js';
import type { LiveEdit } from '../run/request.js';
import type { Rows } from '../run/rows.js';
import { laidOut, type Source } from './source.js';

/** What an edit puts in, multiplies by or adds. */
export type Operand =
  /** One number. */
  | { readonly kind: 'number'; readonly value: number }
  /** A vector along the last axis. */
  | { readonly kind: 'vector'; readonly values: Float32Array }
  /** Values of another run, or a mean: row r of a looked-up axis belongs to the r-th selected index. */
  | { readonly kind: 'source'; readonly source: Source };

/** Steps at which an edit holds: from, to, both included. */
export interface StepRange {
  readonly from: number;
  readonly to: number;
}

/** A change of a site's value in one segment. */
export interface PlannedEdit {
  /** The site's name inside its segment, and as the user wrote it, for errors. */
  readonly site: string;
  readonly shown: string;
  readonly type: ValueType;
  readonly where: Where;
  readonly form: ValueEdit['form'];
  readonly operand: Operand;
  readonly steps: StepRange;
}

/** What selectors are resolved against: the prompt's tokens, and how long the run may get. */
export interface Sequence {
  readonly tokens: readonly { readonly text: string }[];
  readonly length: number;
  /** The encoder's tokens, of an encoder-decoder. */
  readonly source?: readonly { readonly text: string }[];
}

/** The tokens that a place of a model works on: the encoder's in the encoder. */
export const sequenceAt = (sequence: Sequence, stack: Stack | undefined): Sequence => {
  const { source } = sequence;
  return stack === 'encoder' && source ? { tokens: source, length: source.length } : sequence;
};

/** Axes whose extent depends on the run. */
const moving = new Set(['position', 'query', 'key']);
/** Axes along which values of another run can run out. */
const open = new Set([...moving, 'source']);

/** The absolute index of each local one, along an axis; −1 for the second copy of a doubled row. */
const absoluteIndices = (axis: string, extent: number, rows: Rows): readonly number[] => {
  if (axis === 'key') return rows.keys;
  if (axis === 'source' && rows.source) return rows.source.keys;
  if (axis === 'position' || axis === 'query') return rows.positions;
  return Array.from({ length: extent }, (_, i) => i);
};

const fullExtent = (axis: string, dim: number | string, rows: Rows): number => {
  if (moving.has(axis)) return rows.length;
  if (axis === 'source') return rows.source?.length ?? 0;
  return typeof dim === 'number' ? dim : rows.ids.length;
};

/** The site's shape over the whole sequence so far. */
export const fullShape = (type: ValueType, rows: Rows): number[] =>
  type.axes.map((axis, a) => fullExtent(axis, type.shape[a] ?? 1, rows));

/** Which indices are selected along each axis of the whole sequence; undefined: all. */
export const selectedIndices = (
  { shown, type, where }: Pick<PlannedEdit, 'shown' | 'type' | 'where'>,
  shape: readonly number[],
  sequence: Sequence,
): readonly (readonly number[] | undefined)[] => {
  const { tokens, length, source = [] } = sequence;
  const value = { name: shown, axes: type.axes, shape, tokens, length, sourceTokens: source };
  const chosen = resolveSelector(where, value);
  return type.axes.map((axis) => chosen.get(axis));
};

/**
 * Is there such a part, as far as can be told before the run? Its texts of tokens are looked for in the run.
 * @throws UsageError SELECTOR_INVALID
 */
const checkSelected = (
  { shown, type, where }: Pick<PlannedEdit, 'shown' | 'type' | 'where'>,
  { length, source = [] }: Sequence,
): void => {
  const extentOf = (axis: string, dim: number | string | undefined): number => {
    if (moving.has(axis)) return length;
    if (axis === 'source') return source.length;
    return typeof dim === 'number' ? dim : 1; // one sequence at a time
  };
  const shape = type.axes.map((axis, a) => extentOf(axis, type.shape[a]));
  const numbers = Object.entries(where).filter(([, index]) => typeof index === 'number' || !('token' in index));
  resolveSelector(Object.fromEntries(numbers), { name: shown, axes: type.axes, shape, length });
};

/** Axes along which the mask varies: those that are selected, and those along which a source can run out. */
const maskAxesOf = (edit: PlannedEdit): readonly string[] =>
  edit.type.axes.filter((axis, a) => {
    if (Object.hasOwn(edit.where, axis)) return true;
    return edit.operand.kind === 'source' && edit.operand.source.lookup[a] === 'index' && open.has(axis);
  });

const operandAxesOf = ({ type, operand }: PlannedEdit): readonly string[] => {
  if (operand.kind === 'number') return [];
  if (operand.kind === 'vector') return type.axes.slice(-1);
  return type.axes.filter((_, a) => operand.source.lookup[a] === 'index');
};

/** One pass's numbers of one edit. */
class Numbers {
  readonly #absolute: readonly (readonly number[])[];
  readonly #selected: readonly (readonly number[] | undefined)[];
  readonly #holds: boolean;

  constructor(
    readonly edit: PlannedEdit,
    readonly rows: Rows,
    sequence: Sequence,
  ) {
    const full = fullShape(edit.type, rows);
    this.#absolute = edit.type.axes.map((axis, a) => absoluteIndices(axis, full[a] ?? 1, rows));
    this.#selected = selectedIndices(edit, full, sequence);
    this.#holds = rows.step >= edit.steps.from && rows.step <= edit.steps.to;
  }

  /** The row of the source (or 0) that each local index of an axis takes; −1: not selected, or no source there. */
  #rowing(a: number): number[] {
    const { operand } = this.edit;
    const selected = this.#selected[a];
    const lookup = operand.kind === 'source' ? operand.source.lookup[a] : 'same';
    const available = operand.kind === 'source' ? (operand.source.tensor.shape[a] ?? 0) : 0;
    return (this.#absolute[a] ?? []).map((index) => {
      const row = index < 0 ? -1 : selected ? selected.indexOf(index) : index;
      if (row < 0 || lookup === 'same') return Math.min(row, 0);
      return row < available ? row : -1;
    });
  }

  mask(axes: readonly string[]): Tensor {
    const rowings = this.edit.type.axes.map((axis, a) => (axes.includes(axis) ? this.#rowing(a) : [0]));
    const shape = rowings.map((r) => r.length);
    const data = new Uint8Array(sizeOf(shape));
    if (this.#holds) fillProduct(data, rowings);
    return bool(shape, data);
  }

  operand(axes: readonly string[]): Tensor {
    const { operand, type } = this.edit;
    const ones = type.axes.map(() => 1);
    if (operand.kind === 'number') return float32(ones, Float32Array.of(operand.value));
    if (operand.kind === 'vector') return float32([...ones.slice(1), operand.values.length], operand.values);
    return laidOut(
      operand.source,
      type.axes.map((axis, a) => (axes.includes(axis) ? this.#rowing(a) : [0])),
    );
  }
}

/** 1 where along every axis something is selected. */
const fillProduct = (data: Uint8Array, rowings: readonly (readonly number[])[]): void => {
  for (let flat = 0; flat < data.length; flat++) {
    let rest = flat;
    let holds = true;
    for (let a = rowings.length - 1; a >= 0; a--) {
      const rowing = rowings[a] ?? [];
      holds &&= (rowing[rest % rowing.length] ?? -1) >= 0;
      rest = Math.floor(rest / rowing.length);
    }
    data[flat] = holds ? 1 : 0;
  }
};

const checkVector = ({ shown, type, operand }: PlannedEdit): void => {
  if (operand.kind !== 'vector' || type.shape.at(-1) === operand.values.length) return;
  throw new UsageError(
    `a vector of ${operand.values.length} numbers does not fit ${shown}, whose last axis is ${type.axes.at(-1) ?? ''} ${type.shape.at(-1) ?? ''}`,
    {
      code: 'EDIT_INVALID',
      hint: 'Choose a site whose last axis has as many numbers, such as a residual for a direction between words.',
    },
  );
};

/**
 * An edit as the engine runs it: the form decides what is compiled, the numbers are made for each pass.
 * @param tag prefix of the edit's inputs, unique in its segment
 * @throws UsageError EDIT_INVALID where a vector does not fit the site, SELECTOR_INVALID for a part that there is not
 */
export const liveEdit = (edit: PlannedEdit, tag: string, sequence: Sequence): LiveEdit => {
  checkVector(edit);
  checkSelected(edit, sequence);
  const form: ValueEdit = {
    site: edit.site,
    tag,
    form: edit.form,
    maskAxes: maskAxesOf(edit),
    operandAxes: operandAxesOf(edit),
  };
  const numbers = (rows: Rows): Tensors => {
    const live = new Numbers(edit, rows, sequence);
    return new Map([
      [maskInput(form), live.mask(form.maskAxes)],
      [operandInput(form), live.operand(form.operandAxes)],
    ]);
  };
  return { edit: form, numbers };
};
