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

/** log Σ exp(logit), NaN counted as impossible; and Σ p·logit. */
const sums = (logits: Float32Array): { readonly logSum: number; readonly mean: number; readonly most: number } => {
  const most = largest(logits);
  let [total, weighted] = [0, 0];
  for (const logit of logits) {
    const w = weight(logit, most);
    total += w;
    if (w > 0) weighted += w * (logit - most);
  }
  return { most, logSum: most + Math.log(total), mean: most + weighted / total };
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
  const { logSum, mean } = sums(logits);
  return {
    top: topTokens(logits, top),
    entropy: Math.max(0, logSum - mean),
    words: words.map((id) => {
      const logit = logits[id] ?? NaN;
      return { logit, probability: Math.exp(logit - logSum), rank: rankOf(logits, logit) };
    }),
  };
};

/**
 * How far one row of scores is from another: Σ p (log p − log q), nats.
 * @source Kullback & Leibler 1951
 */
export const divergence = (p: Float32Array, q: Float32Array): number => {
  const [a, b] = [sums(p), sums(q)];
  let total = 0;
  for (let id = 0; id < p.length; id++) {
    const [x = NaN, y = NaN] = [p[id], q[id]];
    const share = Math.exp(x - a.logSum);
    if (share > 0) total += share * (x - a.logSum - (y - b.logSum));
  }
  return Math.max(0, total);
};
