import type { InputRule } from '../../graph/index.js';
import { float32, int64From, type Tensor } from '../../tensor/index.js';
import { distanceBucket } from './distance.js';
import { rotaryTables } from './rope.js';
import type { Rows } from './rows.js';

/** The float32 minimum: a masked score. Added to a score of ordinary size it gives exactly itself. */
export const masked = -3.4028234663852886e38;

const causal = ({ ids, positions, keys }: Rows, window = Infinity): Tensor => {
  const plane = new Float32Array(positions.length * keys.length);
  positions.forEach((p, q) => {
    keys.forEach((key, k) => {
      if (key < 0 || key > p || key <= p - window) plane[q * keys.length + k] = masked;
    });
  });
  const data = new Float32Array(ids.length * plane.length);
  for (let b = 0; b < ids.length; b++) data.set(plane, b * plane.length);
  return float32([ids.length, 1, positions.length, keys.length], data);
};

const padding = ({ keys, lengths }: Rows): Tensor => {
  const hidden = lengths.flatMap((length) => keys.map((key) => (key < 0 || key >= length ? masked : 0)));
  return float32([lengths.length, 1, 1, keys.length], Float32Array.from(hidden));
};

/** Places in the text, from `offset` on; a skipped token stands before them all and is not counted. */
const positionsOf = (rows: Rows, { offset = 0, skipping }: InputRule & { rule: 'positions' }): number[] =>
  rows.ids.flatMap((ids) => {
    if (skipping === undefined) return rows.positions.map((p) => p + offset);
    let count = (rows.positions[0] ?? 0) + offset - 1;
    return ids.map((id, i) => {
      const again = i > 0 && rows.positions[i] === rows.positions[i - 1];
      if (id === skipping) return offset - 1;
      return again ? count : ++count;
    });
  });

const sinusoid = ({ positions }: Rows, dim: number): Tensor => {
  const half = Math.ceil(dim / 2);
  const data = positions.flatMap((p) =>
    Array.from({ length: dim }, (_, i) => {
      const angle = p / 10000 ** ((2 * (i < half ? i : i - half)) / dim);
      return i < half ? Math.sin(angle) : Math.cos(angle);
    }),
  );
  return float32([1, positions.length, dim], Float32Array.from(data));
};

const distance = ({ positions, keys }: Rows, rule: InputRule & { rule: 'distance' }): Tensor =>
  int64From(
    [positions.length, keys.length],
    positions.flatMap((p) => keys.map((key) => distanceBucket(Math.max(key, 0) - p, rule))),
  );

const noSource: Rows = { ids: [], lengths: [], positions: [], keys: [], length: 0, step: 0 };

/** The tensor of an input that segments share. Shapes: see `InputRule`. */
export const makeInput = (rule: InputRule, rows: Rows): Tensor => {
  const shape = [rows.ids.length, rows.positions.length];
  switch (rule.rule) {
    case 'ids':
      return int64From(shape, rows.ids.flat());
    case 'positions':
      return int64From(shape, positionsOf(rows, rule));
    case 'types':
      return int64From(shape, new Array<number>((shape[0] ?? 0) * (shape[1] ?? 0)).fill(0));
    case 'sinusoid':
      return sinusoid(rows, rule.dim);
    case 'causal':
      return causal(rows, rule.window);
    case 'padding':
      return padding(rows);
    case 'source':
      return padding(rows.source ?? noSource);
    case 'distance':
      return distance(rows, rule);
    case 'rope':
      return float32(
        [1, rows.positions.length, 1, rule.rope.dim],
        rotaryTables(rule.rope, rows.positions, rows.length)[rule.part],
      );
  }
};
