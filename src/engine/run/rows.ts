import type { ValueType } from '../../graph/index.js';
import { concat, range, sizeOf, type FloatTensor, type Tensor } from '../../tensor/index.js';

/**
 * The rows that one pass computes in one stack: for each sequence its new token ids, all at the same absolute
 * positions. Shorter sequences are filled up on the right.
 */
export interface Rows {
  /** [batch][position] token ids. */
  readonly ids: readonly (readonly number[])[];
  /** Tokens of each sequence so far, without what fills it up. [batch] */
  readonly lengths: readonly number[];
  /** Absolute position of each row; the same twice where a row is doubled. */
  readonly positions: readonly number[];
  /** Absolute position of each key, cached ones first; −1 for a key that nobody may see. */
  readonly keys: readonly number[];
  /** Tokens of the longest sequence so far, these rows included. */
  readonly length: number;
  /** Which step of the run this is: 0 is the prefill. */
  readonly step: number;
  /** The encoder's rows, for a decoder. */
  readonly source?: Rows;
}

export interface RowsRequest {
  /** [batch][position] ids of the new tokens. */
  readonly ids: readonly (readonly number[])[];
  /** Tokens before them. */
  readonly past: number;
  readonly step: number;
  readonly source?: Rows | undefined;
}

/** A product of one row would take another kernel, with other last bits: one row is run twice. */
export const makeRows = ({ ids, past, step, source }: RowsRequest): Rows => {
  const longest = Math.max(...ids.map((row) => row.length));
  const own = Array.from({ length: longest }, (_, i) => past + i);
  const filled = ids.map((row) => [...row, ...Array.from({ length: longest - row.length }, () => 0)]);
  const keys = Array.from({ length: past + longest }, (_, i) => i);
  const lengths = ids.map((row) => past + row.length);
  const rows = { lengths, length: past + longest, step, ...(source ? { source } : {}) };
  if (longest > 1) return { ...rows, ids: filled, positions: own, keys };
  return { ...rows, ids: filled.map((row) => [...row, ...row]), positions: [...own, ...own], keys: [...keys, -1] };
};

/** Is its only row run twice? */
export const isDoubled = (rows: Rows): boolean => rows.keys.at(-1) === -1;

const rowAxes = new Set(['position', 'query', 'key']);

/** A value without the second copy of a doubled row, of this stack or of the encoder. */
export const undoubled = (tensor: Tensor, axes: readonly string[], rows: Rows): Tensor =>
  axes.reduce((t, axis, i) => {
    const of = axis === 'source' ? rows.source : rowAxes.has(axis) ? rows : undefined;
    if (!of || !isDoubled(of) || t.shape[i] === 1) return t;
    return range(t, i, [0, (t.shape[i] ?? 1) - 1]);
  }, tensor);

const zeros = (like: FloatTensor, shape: readonly number[]): FloatTensor =>
  like.dtype === 'float64'
    ? { dtype: 'float64', shape, data: new Float64Array(sizeOf(shape)) }
    : { dtype: 'float32', shape, data: new Float32Array(sizeOf(shape)) };

/** A float value with zeros for the second copy of a doubled row: the inverse of `undoubled`, for gradients. */
export const doubledWithZeros = (tensor: FloatTensor, { axes, shape }: ValueType, rows: Rows): FloatTensor =>
  axes.reduce((t, axis, i) => {
    const of = axis === 'source' ? rows.source : rowAxes.has(axis) ? rows : undefined;
    if (!of || !isDoubled(of) || typeof shape[i] === 'number') return t;
    const one = t.shape.map((n, a) => (a === i ? 1 : n));
    return concat([t, zeros(t, one)], i);
  }, tensor);
