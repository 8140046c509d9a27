import type { InputRule } from '../../graph/index.js';
import { float32, int64From, type Tensor } from '../../tensor/index.js';
import { rotaryTables } from './rope.js';

/** The float32 minimum: a masked score. Added to a score of ordinary size it gives exactly itself. */
export const masked = -3.4028234663852886e38;

/**
 * The rows that one pass computes: for each sequence its new token ids, all at the same absolute positions.
 * Rows are padded on the right, which no causal model can see.
 */
export interface Rows {
  /** [batch][position] token ids. */
  readonly ids: readonly (readonly number[])[];
  /** Absolute position of each row; the same twice where a row is doubled. */
  readonly positions: readonly number[];
  /** Absolute position of each key, cached ones first; −1 for a key that nobody may see. */
  readonly keys: readonly number[];
  /** Tokens of the sequence so far, these rows included. */
  readonly length: number;
  /** Which step of the run this is: 0 is the prefill. */
  readonly step: number;
}

const causal = ({ ids, positions, keys }: Rows): Tensor => {
  const plane = new Float32Array(positions.length * keys.length);
  positions.forEach((p, q) => {
    keys.forEach((key, k) => {
      if (key < 0 || key > p) plane[q * keys.length + k] = masked;
    });
  });
  const batch = ids.length;
  const data = new Float32Array(batch * plane.length);
  for (let b = 0; b < batch; b++) data.set(plane, b * plane.length);
  return float32([batch, 1, positions.length, keys.length], data);
};

/** The tensor of an input that all segments share. Shapes: see `InputRule`. */
export const makeInput = (rule: InputRule, rows: Rows): Tensor => {
  const shape = [rows.ids.length, rows.positions.length];
  switch (rule.rule) {
    case 'ids':
      return int64From(shape, rows.ids.flat());
    case 'positions':
      return int64From(
        shape,
        rows.ids.flatMap(() => rows.positions),
      );
    case 'causal':
      return causal(rows);
    case 'rope':
      return float32(
        [1, rows.positions.length, 1, rule.rope.dim],
        rotaryTables(rule.rope, rows.positions, rows.length)[rule.part],
      );
  }
};
