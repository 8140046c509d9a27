import { uniform } from '../../engine/index.js';
import type { Attribution, Game } from './model.js';

export interface ShapleyOptions {
  /** Permutations that are drawn. Where all coalitions are no more than these would need, they are taken instead. */
  readonly samples: number;
  readonly seed: number;
  /** These orders in place of drawn ones, [order][feature]. */
  readonly permutations?: readonly (readonly number[])[];
  /** Called before each order, with how many are done. */
  readonly onOrder?: (done: number, total: number) => void | Promise<void>;
}

/** A random order. Durstenfeld 1964. */
export const permutation = (length: number, { seed, sequence }: { seed: number; sequence: number }): number[] => {
  const order = Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = Math.floor(uniform({ seed, sequence, step: i }) * (i + 1));
    [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
  }
  return order;
};

/** The coalitions that an order makes: none, the first, the first two ... all. */
const growing = (order: readonly number[]): boolean[][] => {
  const present = order.map(() => false);
  return [[...present], ...order.map((feature) => ((present[feature] = true), [...present]))];
};

/** What each feature adds when it comes in an order. */
const marginals = (order: readonly number[], values: readonly number[]): number[] => {
  const added = order.map(() => 0);
  order.forEach((feature, i) => (added[feature] = (values[i + 1] ?? NaN) - (values[i] ?? NaN)));
  return added;
};

const mean = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0) / numbers.length;

/** Of a mean of independent numbers: s/√n. */
const standardError = (numbers: readonly number[]): number => {
  const centre = mean(numbers);
  const variance = numbers.reduce((sum, x) => sum + (x - centre) ** 2, 0) / Math.max(1, numbers.length - 1);
  return Math.sqrt(variance / numbers.length);
};

/** @source Castro 2009, "Polynomial calculation of the Shapley value based on sampling" */
const sampled = async (game: Game, orders: readonly (readonly number[])[], { onOrder }: ShapleyOptions) => {
  const added: number[][] = [];
  let [value, baseline] = [NaN, NaN];
  for (const [i, order] of orders.entries()) {
    await onOrder?.(i, orders.length);
    const ends = i === 0 ? growing(order) : growing(order).slice(1, -1);
    const found = await game.values(ends);
    if (i === 0) [baseline, value] = [found[0] ?? NaN, found.at(-1) ?? NaN];
    added.push(marginals(order, i === 0 ? found : [baseline, ...found, value]));
  }
  const of = (feature: number) => added.map((one) => one[feature] ?? NaN);
  const features = Array.from({ length: game.features }, (_, feature) => of(feature));
  return { scores: features.map(mean), errors: features.map(standardError), value, baseline };
};

/** |S|!·(n − |S| − 1)!/n!, for a coalition of each size. */
const sizeWeights = (n: number): readonly number[] => {
  const weights = [1 / n];
  for (let size = 1; size < n; size++) weights.push(((weights[size - 1] ?? 0) * size) / (n - size));
  return weights;
};

/** Over all coalitions: no drawing, no error. Shapley 1953. */
const exact = async (game: Game): Promise<Attribution> => {
  const n = game.features;
  const coalitions = Array.from({ length: 2 ** n }, (_, code) =>
    Array.from({ length: n }, (_f, i) => ((code >> i) & 1) === 1),
  );
  const values = await game.values(coalitions);
  const weights = sizeWeights(n);
  const scores = Array.from({ length: n }, (_, feature) => {
    let score = 0;
    coalitions.forEach((present, code) => {
      if (present[feature] === true) return;
      const size = present.filter(Boolean).length;
      score += (weights[size] ?? 0) * ((values[code | (1 << feature)] ?? NaN) - (values[code] ?? NaN));
    });
    return score;
  });
  return { scores, value: values.at(-1) ?? NaN, baseline: values[0] ?? NaN };
};

/** Are all coalitions no more than what the drawn orders would need? */
export const isExact = (
  features: number,
  { samples, permutations }: Pick<ShapleyOptions, 'samples' | 'permutations'>,
) => permutations === undefined && features <= 20 && 2 ** features <= Math.max(samples * (features - 1) + 2, 2);

/** What each feature adds on average over all orders in which features can come. @source Shapley 1953 */
export const shapley = async (game: Game, options: ShapleyOptions): Promise<Attribution> => {
  if (isExact(game.features, options)) return exact(game);
  const { samples, seed, permutations } = options;
  const orders =
    permutations ?? Array.from({ length: samples }, (_, sequence) => permutation(game.features, { seed, sequence }));
  return sampled(game, orders, options);
};
