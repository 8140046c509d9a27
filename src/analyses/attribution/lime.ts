import { uniform } from '../../engine/index.js';
import type { Attribution, Game } from './model.js';

export interface LimeOptions {
  /** Coalitions, the whole input among them. LIT's 256. */
  readonly samples: number;
  /** Width of the kernel, in the cosine distance of 0 to 1 times 100. LIT's 256. */
  readonly kernelWidth: number;
  /** Weight of the squared coefficients. */
  readonly ridge: number;
  readonly seed: number;
}

/** A coalition's weight: exp(−d²/w²) under the root, d = 100·(1 − cos) from the whole input. Ribeiro 2016 §3.4 */
const kernel = (present: readonly boolean[], width: number): number => {
  const kept = present.filter(Boolean).length;
  const distance = 100 * (1 - Math.sqrt(kept / present.length));
  return Math.sqrt(Math.exp(-(distance ** 2) / width ** 2));
};

const draw = (features: number, { seed, samples }: LimeOptions): boolean[][] =>
  Array.from({ length: samples }, (_, sequence) =>
    Array.from({ length: features }, (_f, step) => sequence === 0 || uniform({ seed, sequence, step }) < 0.5),
  );

/** Solves A·x = b, A symmetric and positive, by Cholesky's factors. */
const solve = (a: readonly (readonly number[])[], b: readonly number[]): number[] => {
  const n = b.length;
  const factor: number[][] = a.map(() => new Array<number>(n).fill(0));
  const at = (i: number, j: number): number => factor[i]?.[j] ?? 0;
  const dot = (i: number, j: number, end: number): number => {
    let sum = 0;
    for (let k = 0; k < end; k++) sum += at(i, k) * at(j, k);
    return sum;
  };
  factor.forEach((row, i) => {
    for (let j = 0; j <= i; j++) {
      const rest = (a[i]?.[j] ?? 0) - dot(i, j, j);
      row[j] = i === j ? Math.sqrt(Math.max(rest, 1e-12)) : rest / at(j, j);
    }
  });
  const down: number[] = [];
  for (let i = 0; i < n; i++) down.push(((b[i] ?? 0) - down.reduce((s, y, k) => s + at(i, k) * y, 0)) / at(i, i));
  const up = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    let sum = down[i] ?? 0;
    for (let k = i + 1; k < n; k++) sum -= at(k, i) * (up[k] ?? 0);
    up[i] = sum / at(i, i);
  }
  return up;
};

export interface RidgeFit {
  readonly coefficients: readonly number[];
  readonly intercept: number;
  /** How much of the weighted variance the fit explains: 1 is all. */
  readonly r2: number;
}

/** Minimises Σ w·(y − a − x·c)² + λ·|c|²; the intercept is free. */
export const weightedRidge = (
  xs: readonly (readonly number[])[],
  ys: readonly number[],
  { weights, ridge }: { readonly weights: readonly number[]; readonly ridge: number },
): RidgeFit => {
  const whole = weights.reduce((a, b) => a + b, 0);
  const weighted = (of: (i: number) => number): number => weights.reduce((sum, w, i) => sum + w * of(i), 0) / whole;
  const features = xs[0]?.length ?? 0;
  const means = Array.from({ length: features }, (_, j) => weighted((i) => xs[i]?.[j] ?? 0));
  const centre = weighted((i) => ys[i] ?? 0);
  const x = (i: number, j: number): number => (xs[i]?.[j] ?? 0) - (means[j] ?? 0);
  const y = (i: number): number => (ys[i] ?? 0) - centre;
  const covariance = means.map((_, j) =>
    means.map((_m, k) => whole * weighted((i) => x(i, j) * x(i, k)) + (j === k ? ridge : 0)),
  );
  const coefficients = solve(
    covariance,
    means.map((_, j) => whole * weighted((i) => x(i, j) * y(i))),
  );
  const fitted = (i: number): number => coefficients.reduce((sum, c, j) => sum + c * x(i, j), 0);
  const variance = weighted((i) => y(i) ** 2);
  return {
    coefficients,
    intercept: centre - coefficients.reduce((sum, c, j) => sum + c * (means[j] ?? 0), 0),
    r2: variance === 0 ? 1 : 1 - weighted((i) => (y(i) - fitted(i)) ** 2) / variance,
  };
};

/** The weights of a linear model of the scalar near the input. @source Ribeiro 2016, "Why should I trust you?" */
export const lime = async (game: Game, options: LimeOptions): Promise<Attribution & { readonly r2: number }> => {
  const coalitions = draw(game.features, options);
  const values = await game.values(coalitions);
  const { coefficients, r2 } = weightedRidge(
    coalitions.map((present) => present.map(Number)),
    values,
    { weights: coalitions.map((present) => kernel(present, options.kernelWidth)), ridge: options.ridge },
  );
  return { scores: coefficients, value: values[0] ?? NaN, r2 };
};
