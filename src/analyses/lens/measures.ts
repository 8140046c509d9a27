import { largest, topTokens, weight, type TopToken } from '../../engine/index.js';

/** How a word stands among some scores. `rank`: 1 for the likeliest; of equal ones the best. */
export interface WordScore {
  readonly logit: number;
  readonly probability: number;
  readonly rank: number;
}

/** What scores say, in numbers. */
export interface ScoreMeasures {
  readonly top: readonly TopToken[];
  /** Nats. */
  readonly entropy: number;
  readonly words: readonly WordScore[];
}

/** A row of scores in a few numbers, from one pass over it. */
export interface ScoreSums {
  /** log Σ exp(logit), NaN counted as impossible. */
  readonly logSum: number;
  /** Nats. */
  readonly entropy: number;
}

/** @param logits [vocab] */
export const sumScores = (logits: Float32Array): ScoreSums => {
  const most = largest(logits);
  let [total, weighted] = [0, 0];
  for (const logit of logits) {
    const w = weight(logit, most);
    total += w;
    if (w > 0) weighted += w * (logit - most);
  }
  const logTotal = Math.log(total);
  return { logSum: most + logTotal, entropy: Math.max(0, logTotal - weighted / total) };
};

const rankOf = (logits: Float32Array, score: number): number => {
  let better = 0;
  for (const logit of logits) if (logit > score) better++;
  return better + 1;
};

/**
 * Measures one row of scores.
 * @param logits [vocab]
 * @param words ids
 */
export const measureScores = (logits: Float32Array, top: number, words: readonly number[]): ScoreMeasures => {
  const { logSum, entropy } = sumScores(logits);
  return {
    ...{ top: topTokens(logits, top), entropy },
    words: words.map((id) => {
      const logit = logits[id] ?? NaN;
      return { logit, probability: Math.exp(logit - logSum), rank: rankOf(logits, logit) };
    }),
  };
};

/**
 * How far one row of scores is from another: Σ p (log p − log q), nats. Each comes with its sums, where they are known.
 * @source Kullback & Leibler 1951
 */
export const divergence = (
  p: Float32Array,
  q: Float32Array,
  [a, b]: readonly [ScoreSums, ScoreSums] = [sumScores(p), sumScores(q)],
): number => {
  let total = 0;
  for (let id = 0; id < p.length; id++) {
    const [x = NaN, y = NaN] = [p[id], q[id]];
    const share = Math.exp(x - a.logSum);
    if (share > 0) total += share * (x - a.logSum - (y - b.logSum));
  }
  return Math.max(0, total);
};
