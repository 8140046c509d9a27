import type { Normalization } from '../../protocol/index.js';

/** Scores as they are told. */
export const normalized = (scores: readonly number[], by: Normalization): readonly number[] => {
  const sizes = scores.map(Math.abs);
  const whole = by === 'max' ? sizes.reduce((a, b) => Math.max(a, b), 0) : sizes.reduce((a, b) => a + b, 0);
  if (by === 'none' || whole === 0) return scores;
  return (by === 'absolute' ? sizes : scores).map((s) => s / whole);
};

/** Scores of tokens as those of groups of them: the sum of each. */
export const grouped = (scores: readonly number[], groups: readonly (readonly number[])[]): readonly number[] =>
  groups.map((group) => group.reduce((sum, i) => sum + (scores[i] ?? 0), 0));
