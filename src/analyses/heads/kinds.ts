/** Where a head may look. */
export const headKinds = ['previous', 'next', 'current', 'first', 'duplicate', 'induction'] as const;
export type HeadKind = (typeof headKinds)[number];

/** Does a key count for a query, in a sequence of these ids? */
type Counts = (ids: readonly number[], query: number, key: number) => boolean;

/**
 * Which keys each kind looks at.
 * @source previous, duplicate, induction: TransformerLens, head_detector.py; induction: Olsson et al. 2022; duplicate:
 * Wang et al. 2022; first (attention sink): Xiao et al. 2023
 */
const counts: Readonly<Record<HeadKind, Counts>> = {
  previous: (_, q, k) => k === q - 1,
  next: (_, q, k) => k === q + 1,
  current: (_, q, k) => k === q,
  first: (_, q, k) => k === 0 && q > 0,
  duplicate: (ids, q, k) => k < q && ids[k] === ids[q],
  induction: (ids, q, k) => k > 0 && k <= q && k - 1 < q && ids[k - 1] === ids[q],
};

/** Attention of one head over one sequence. */
export interface HeadPattern {
  /** [query, key], each row a distribution. */
  readonly data: ArrayLike<number>;
  readonly ids: readonly number[];
}

/** Attention of a kind, summed, over how many queries have a key of it. */
export interface KindSum {
  readonly sum: number;
  readonly queries: number;
}

/** How much of a head's attention goes where a kind looks, summed over queries. */
export const kindSum = ({ data, ids }: HeadPattern, kind: HeadKind): KindSum => {
  const length = ids.length;
  let [sum, queries] = [0, 0];
  for (let q = 0; q < length; q++) {
    let there = false;
    for (let k = 0; k < length; k++) {
      if (!counts[kind](ids, q, k)) continue;
      there = true;
      sum += data[q * length + k] ?? 0;
    }
    if (there) queries++;
  }
  return { sum, queries };
};

/**
 * The mean share of attention over all queries that have such a key, of several sequences.
 * @returns NaN where no query has one
 */
export const meanShare = (sums: readonly KindSum[]): number => {
  const total = (field: keyof KindSum): number => sums.reduce((t, s) => t + s[field], 0);
  return total('queries') === 0 ? NaN : total('sum') / total('queries');
};
