import type { AttributedRow, AttributeResult, AttributionMethod } from '../../../protocol/index.js';

import { align } from '../../state/align.js';

/** What the panel asks besides the run itself. */
export interface Wanted {
  readonly method: AttributionMethod;
  /** What the model says next, the word that is tracked, or each of some tokens that it goes on with. */
  readonly of: 'next' | 'word' | 'each';
  /** A word that it is explained against; empty: none. */
  readonly versus: string;
  readonly granularity: 'token' | 'word';
}

/** Tokens that are made where each is explained. */
export const madeTokens = 6;

/** The largest size of a score, for the scale; 1 where all are 0. */
export const scaleOf = (rows: readonly AttributedRow[]): number =>
  rows.flatMap((row) => row.scores).reduce<number>((most, s) => Math.max(most, Math.abs(s ?? 0)), 0) || 1;

/** A request's part for attribution. `word`: the tracked one. */
export const askedOf = ({ method, of, versus, granularity }: Wanted, word: string | undefined): object => ({
  ...{ method, granularity },
  ...(versus === '' ? {} : { versus }),
  ...(of === 'word' && word !== undefined ? { word } : {}),
  ...(of === 'each' ? { maxNewTokens: madeTokens } : {}),
});

/** `logit(" Nina") − logit(" Nora")`; the same once where both explain it. */
const bothOf = (a: AttributedRow, b: AttributedRow): string => (a.of === b.of ? a.of : `${b.of} − ${a.of}`);

const less = (b: number | null | undefined, a: number | null): number | null =>
  a === null || b === null || b === undefined ? null : b - a;

/** B's scores less A's, at A's units; without a score where B has no such unit. Checks are of one run, and left out. */
export const attributionBetween = (a: AttributeResult, b: AttributeResult): AttributeResult => {
  const texts = ({ units }: AttributeResult): readonly string[] => units.map((unit) => `${unit.side} ${unit.text}`);
  const places = align(texts(a), texts(b));
  const rows = a.rows.flatMap((row, r): AttributedRow[] => {
    const other = b.rows[r];
    if (!other) return [];
    const scores = row.scores.map((score, i) => less(other.scores[places[i] ?? -1], score));
    return [
      { of: bothOf(row, other), token: row.token, position: row.position, value: less(other.value, row.value), scores },
    ];
  });
  return { ...a, rows };
};

/** The side of a result that the board shows: the decoder's where there is one. */
export const boardSide = ({ target }: Pick<AttributeResult, 'target'>): 'tokens' | 'target' =>
  target ? 'target' : 'tokens';

/** The points of a curve in a box, as an SVG path; values between two bounds. */
export const curvePath = (
  { shares, values }: { readonly shares: readonly number[]; readonly values: readonly (number | null)[] },
  at: (share: number, value: number) => readonly [number, number],
): string =>
  shares
    .map((share, i) => {
      const [x, y] = at(share, values[i] ?? 0);
      return `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join('');
