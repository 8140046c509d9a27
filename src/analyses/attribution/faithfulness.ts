import { permutation } from './shapley.js';
import type { Game } from './model.js';

export interface FaithfulnessOptions {
  /** Points of a curve besides its first; fewer where there are fewer features. */
  readonly points: number;
  /** Random orders whose curves are the comparison. */
  readonly randomOrders: number;
  readonly seed: number;
}

/** The scalar while features go, or come, those that speak most for it first. */
export interface Curve {
  /** How large a part of the features is gone, or there. From 0 to 1. */
  readonly shares: readonly number[];
  readonly values: readonly number[];
  /** The mean of the scalar along the curve. */
  readonly auc: number;
  /** The same for random orders, their mean. */
  readonly randomAuc: number | undefined;
}

export interface Faithfulness {
  /** The lower the area, the better: what matters went early. */
  readonly deletion: Curve;
  /** The higher the area, the better. */
  readonly insertion: Curve;
}

/** Features by score, the largest first. */
const orderOf = (scores: readonly number[]): number[] =>
  scores.map((_, i) => i).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);

const countsOf = (features: number, points: number): readonly number[] => {
  const n = Math.min(points, features);
  return [...new Set(Array.from({ length: n + 1 }, (_, i) => Math.round((i * features) / Math.max(n, 1))))];
};

/** By trapezoids over shares from 0 to 1. */
const areaOf = (shares: readonly number[], values: readonly number[]): number =>
  shares.slice(1).reduce((sum, share, i) => {
    const height = ((values[i] ?? NaN) + (values[i + 1] ?? NaN)) / 2;
    return sum + (share - (shares[i] ?? 0)) * height;
  }, 0);

/** Coalitions along an order. */
const along = (order: readonly number[], counts: readonly number[], inserts: boolean): boolean[][] =>
  counts.map((count) => {
    const moved = new Set(order.slice(0, count));
    return order.map((_, feature) => moved.has(feature) === inserts);
  });

/**
 * Does the order of the scores hold what it says? Features are taken away, and put in, in that order. Values are told
 * of the very scalar that is explained.
 * @source Petsiuk 2018, "RISE" §4.2; Samek 2017
 */
export const faithfulness = async (
  game: Game,
  scores: readonly number[],
  { points, randomOrders, seed }: FaithfulnessOptions,
): Promise<Faithfulness> => {
  const counts = countsOf(game.features, points);
  const shares = counts.map((count) => (game.features === 0 ? 0 : count / game.features));
  const random = Array.from({ length: randomOrders }, (_, i) =>
    permutation(game.features, { seed, sequence: 1_000_000 + i }),
  );
  const orders = [orderOf(scores), ...random];
  const curve = async (inserts: boolean): Promise<Curve> => {
    const values = await game.values(orders.flatMap((order) => along(order, counts, inserts)));
    const of = (i: number) => values.slice(i * counts.length, (i + 1) * counts.length);
    const areas = random.map((_, i) => areaOf(shares, of(i + 1)));
    return {
      ...{ shares, values: of(0), auc: areaOf(shares, of(0)) },
      randomAuc: areas.length === 0 ? undefined : areas.reduce((a, b) => a + b, 0) / areas.length,
    };
  };
  return { deletion: await curve(false), insertion: await curve(true) };
};
