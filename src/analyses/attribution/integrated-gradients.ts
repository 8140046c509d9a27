import type { IntegrationRule } from '../../protocol/index.js';
import { zerosLike } from './gradient.js';
import { quadrature, usualSteps } from './integration.js';
import type { Attribution, SmoothScalar } from './model.js';
import { combined, rowSums, vectors, type Vectors } from './vectors.js';

export interface IntegratedGradientsOptions {
  readonly rule: IntegrationRule;
  /** Readings of the path; the rule's own number where left out. */
  readonly steps?: number | undefined;
  /** Where the path begins; zeros where left out. */
  readonly baseline?: Vectors;
  /** Points that are made at a time, so that not all of them are in memory. */
  readonly together?: number;
}

const between = (from: Vectors, to: Vectors, alpha: number): Vectors =>
  combined(from, to, (a, b) => a + alpha * (b - a));

/** Σ_k w_k · ∂f/∂x at the points of the path. */
const averageGradient = async (
  scalar: SmoothScalar,
  { from, rule, steps, together }: { from: Vectors; rule: IntegrationRule; steps: number; together: number },
): Promise<Vectors> => {
  const { alphas, weights } = quadrature(rule, steps);
  const sum = vectors(from.rows, from.width);
  for (let at = 0; at < alphas.length; at += together) {
    const points = alphas.slice(at, at + together).map((alpha) => between(from, scalar.input, alpha));
    for (const [i, { gradient }] of (await scalar.slopes(points)).entries()) {
      const weight = weights[at + i] ?? 0;
      gradient.data.forEach((g, j) => (sum.data[j] = (sum.data[j] ?? 0) + weight * g));
    }
  }
  return sum;
};

/** (x − x′) · ∫ ∂f(x′ + α(x − x′))/∂x dα, number by number. @source Sundararajan 2017 eq. 1, 3 */
export const integratedGradients = async (
  scalar: SmoothScalar,
  { rule, steps = usualSteps(rule), baseline = zerosLike(scalar), together = 16 }: IntegratedGradientsOptions,
): Promise<Attribution & { readonly elements: Vectors }> => {
  const [[value = NaN, before = NaN], gradient] = await Promise.all([
    scalar.values([scalar.input, baseline]), // asked in the same turn, so that both may run together
    averageGradient(scalar, { from: baseline, rule, steps, together }),
  ]);
  const change = combined(scalar.input, baseline, (x, b) => x - b);
  const elements = combined(gradient, change, (g, d) => g * d);
  return { scores: rowSums(elements), elements, value, baseline: before };
};
