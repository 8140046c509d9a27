import { weight } from '../sampling/top-tokens.js';
import { logitOf, probability, type Row, type Scored, type Scores } from './scores.js';

/** The derivative of a score by one position's row of scores [vocab]. */
export interface RowSlope {
  readonly position: number;
  readonly slope: Float64Array;
}

/** Probabilities of a row [vocab]. */
const probabilities = ({ logits, most, total }: Row): Float64Array =>
  Float64Array.from(logits, (logit) => weight(logit, most) / total);

/** Of a token's score: 1 at the token. */
export const logitSlope = ({ logits }: Row, id: number): Float64Array => {
  logitOf({ logits, most: 0, total: 1 }, id); // an id beyond the vocabulary is an error
  const slope = new Float64Array(logits.length);
  slope[id] = 1;
  return slope;
};

/** Of log p: δ − p. */
const logprobSlope = (row: Row, id: number): Float64Array => {
  logitOf(row, id);
  return probabilities(row).map((p, i) => (i === id ? 1 : 0) - p);
};

/** Of p: p · (δ − p). */
export const probSlope = (row: Row, id: number): Float64Array => {
  const p = probability(row, id);
  return logprobSlope(row, id).map((x) => p * x);
};

/** Of a sum of log probabilities, times a factor. */
export const logprobSlopes = (scores: Scores, scored: readonly Scored[], factor: number): readonly RowSlope[] =>
  scored.map(({ position, id }) => ({
    position,
    slope: logprobSlope(scores.row(position, false), id).map((x) => factor * x),
  }));

/** Of the entropy: −p · (log p + entropy). */
export const entropySlope = (row: Row, entropy: number): Float64Array =>
  probabilities(row).map((p) => (p > 0 ? -p * (Math.log(p) + entropy) : 0));
