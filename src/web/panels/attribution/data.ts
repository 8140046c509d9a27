import type { AttributedRow, AttributeResult, AttributionMethod } from '../../../protocol/index.js';

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
