import { bug } from '../../base/index.js';

/** [query][key], each row a distribution. */
export type Pattern = readonly (readonly number[])[];

/** Mean over heads. @param data [head, query, key] */
export const meanOverHeads = (
  data: ArrayLike<number>,
  { heads, length }: { readonly heads: number; readonly length: number },
): Pattern =>
  Array.from({ length }, (_, q) =>
    Array.from({ length }, (_k, k) => {
      let sum = 0;
      for (let h = 0; h < heads; h++) sum += data[(h * length + q) * length + k] ?? 0;
      return sum / heads;
    }),
  );

/** A + I, each row made to add up to 1: the residual connection beside the heads. */
export const withResidual = (pattern: Pattern): Pattern =>
  pattern.map((row, q) => {
    const whole = row.reduce((a, b) => a + b, 1);
    return row.map((x, k) => (x + (k === q ? 1 : 0)) / whole);
  });

const product = (a: Pattern, b: Pattern): Pattern =>
  a.map((row) => row.map((_, k) => row.reduce((sum, x, j) => sum + x * (b[j]?.[k] ?? 0), 0)));

/**
 * How much of each input reaches each place, as if attention alone moved it: R_l = Â_l·R_{l−1}.
 * @param patterns of each layer, the mean of its heads
 * @source Abnar & Zuidema 2020, "Quantifying attention flow in transformers" eq. 1
 */
export const attentionRollout = (patterns: readonly Pattern[]): Pattern => {
  const [first, ...others] = patterns.map(withResidual);
  if (!first) throw bug('there is no layer to roll out');
  return others.reduce((below, pattern) => product(pattern, below), first);
};
