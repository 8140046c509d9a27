/**
 * How scores are shown. `none`: as they are; `signed`: divided by Σ|s|, signs kept (LIT); `absolute`: |s|/Σ|s|
 * (AllenNLP); `max`: divided by the largest |s|.
 */
export const normalizations = ['none', 'signed', 'absolute', 'max'] as const;
export type Normalization = (typeof normalizations)[number];

export const normalized = (scores: readonly number[], by: Normalization): readonly number[] => {
  const sizes = scores.map(Math.abs);
  const whole = by === 'max' ? sizes.reduce((a, b) => Math.max(a, b), 0) : sizes.reduce((a, b) => a + b, 0);
  if (by === 'none' || whole === 0) return scores;
  return (by === 'absolute' ? sizes : scores).map((s) => s / whole);
};

/** Scores of tokens as those of groups of them: the sum of each. */
export const grouped = (scores: readonly number[], groups: readonly (readonly number[])[]): readonly number[] =>
  groups.map((group) => group.reduce((sum, i) => sum + (scores[i] ?? 0), 0));
