import type { Matrix } from '../../look/matrix.js';

/** What a head may be good at; each head has a share of its attention that goes there. */
export type HeadKind = 'previous' | 'first' | 'same' | 'after';
export const headKinds: readonly HeadKind[] = ['previous', 'first', 'same', 'after'];

/** Which keys count for a query, given the tokens. */
const counts: Readonly<Record<HeadKind, (ids: readonly number[], q: number, k: number) => boolean>> = {
  previous: (_, q, k) => k === q - 1,
  first: (_, q, k) => k === 0 && q > 0,
  same: (ids, q, k) => k < q && ids[k] === ids[q],
  // The token behind an earlier one of the same kind: what an induction head copies from (Olsson et al. 2022).
  after: (ids, q, k) => k > 0 && k <= q && ids[k - 1] === ids[q] && k - 1 < q,
};

/**
 * The mean share of a head's attention that goes where this kind looks, over the queries that have such a key.
 * @param pattern [query][key], each row a distribution
 */
export const kindShare = (pattern: Matrix, ids: readonly number[], kind: HeadKind): number => {
  let [sum, queries] = [0, 0];
  for (let q = 1; q < pattern.rows; q++) {
    let [share, isThere] = [0, false];
    for (let k = 0; k < pattern.columns; k++) {
      if (!counts[kind](ids, q, k)) continue;
      isThere = true;
      share += pattern.data[q * pattern.columns + k] ?? 0;
    }
    if (!isThere) continue;
    sum += share;
    queries++;
  }
  return queries === 0 ? 0 : sum / queries;
};
