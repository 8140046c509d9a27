import type { Heads } from './weigh.js';

/** Tokens that are left out, and whether the rest is made to sum to 1 again. */
export interface Hidden {
  readonly queries: readonly number[];
  readonly keys: readonly number[];
  readonly renormalise: boolean;
}

const scaleRow = (row: Float32Array): void => {
  const sum = row.reduce((a, b) => a + b, 0);
  if (sum > 0) for (const [k, x] of row.entries()) row[k] = x / sum;
};

/**
 * Attention without some tokens: their rows and columns are `empty`. What a row gave to them is gone, or, renormalised,
 * shared out among the others in the proportion that they have.
 */
export const hide = (heads: Heads, { queries, keys, renormalise }: Hidden, empty = 0): Heads => {
  if (queries.length === 0 && keys.length === 0) return heads;
  const hidden = new Set(queries);
  const data = heads.data.slice();
  for (let r = 0; r < heads.heads * heads.queries; r++) {
    const row = data.subarray(r * heads.keys, (r + 1) * heads.keys);
    if (hidden.has(r % heads.queries)) row.fill(empty);
    for (const k of keys) if (k < row.length) row[k] = empty;
    if (renormalise) scaleRow(row);
  }
  return { ...heads, data };
};
