import type { IntegrationRule } from '../../protocol/index.js';

/** Where a path integral is read, and what each reading weighs: ∫₀¹ f(α) dα ≈ Σ w·f(α). */
export interface Quadrature {
  readonly alphas: readonly number[];
  readonly weights: readonly number[];
}

/** How many readings each rule takes where nothing else is said: Captum 50, LIT 30, AllenNLP 10. */
export const usualSteps = (rule: IntegrationRule): number => (rule === 'allennlp' ? 10 : rule === 'lit' ? 30 : 50);

const each = (n: number, of: (i: number) => number): number[] => Array.from({ length: n }, (_, i) => of(i));

/** The Legendre polynomial of degree n and its slope at x, by Bonnet's recursion. */
const legendre = (n: number, x: number): { readonly value: number; readonly slope: number } => {
  let [before, value] = [1, x];
  for (let k = 2; k <= n; k++) [before, value] = [value, ((2 * k - 1) * x * value - (k - 1) * before) / k];
  return { value, slope: (n * (x * value - before)) / (x * x - 1) };
};

/** Roots and weights on [0, 1]. Newton's method from Tricomi's guess: Press 2007 §4.6. */
const gaussLegendre = (n: number): Quadrature => {
  const roots = each(n, (i) => {
    let x = -Math.cos((Math.PI * (i + 0.75)) / (n + 0.5));
    for (let turn = 0; turn < 20; turn++) {
      const { value, slope } = legendre(n, x);
      x -= value / slope;
    }
    return x;
  });
  const weights = roots.map((x) => 1 / ((1 - x * x) * legendre(n, x).slope ** 2));
  return n === 1 ? { alphas: [0.5], weights: [1] } : { alphas: roots.map((x) => (1 + x) / 2), weights };
};

/** The first n of n + 1 points between 0 and 1, the mean of neighbours. */
const litTrapezoids = (n: number): Quadrature => ({
  alphas: each(n, (i) => i / n),
  weights: each(n, (i) => (n === 1 ? 1 : (i === 0 || i === n - 1 ? 0.5 : 1) / (n - 1))),
});

/** @param steps how often the path is read, at least once */
export const quadrature = (rule: IntegrationRule, steps: number): Quadrature => {
  const even = each(steps, () => 1 / steps);
  switch (rule) {
    case 'gausslegendre':
      return gaussLegendre(steps);
    case 'riemann-left':
    case 'allennlp':
      return { alphas: each(steps, (i) => i / steps), weights: even };
    case 'riemann-right':
      return { alphas: each(steps, (i) => (i + 1) / steps), weights: even };
    case 'riemann-middle':
      return { alphas: each(steps, (i) => (i + 0.5) / steps), weights: even };
    case 'riemann-trapezoid':
      return {
        alphas: each(steps, (i) => (steps === 1 ? 0 : i / (steps - 1))),
        weights: even.map((w, i) => (i === 0 || i === steps - 1 ? w / 2 : w)),
      };
    case 'lit':
      return litTrapezoids(steps);
  }
};
