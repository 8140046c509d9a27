import { bug } from '../../base/index.js';
import type { Attribution, Slope, SmoothScalar } from './model.js';
import { combined, rowNorms, rowSums, vectors } from './vectors.js';

/** One point's slope. */
export const slopeAt = async (scalar: SmoothScalar, point = scalar.input): Promise<Slope> => {
  const [slope] = await scalar.slopes([point]);
  if (!slope) throw bug('no slope came back');
  return slope;
};

/** ‖∂f/∂e_t‖₂. @source Li 2016, "Visualizing and understanding neural models in NLP" §5 */
export const gradientNorm = async (scalar: SmoothScalar): Promise<Attribution> => {
  const { value, gradient } = await slopeAt(scalar);
  return { value, scores: rowNorms(gradient) };
};

/** Σ_d ∂f/∂e_td. */
export const gradientSum = async (scalar: SmoothScalar): Promise<Attribution> => {
  const { value, gradient } = await slopeAt(scalar);
  return { value, scores: rowSums(gradient) };
};

/** Σ_d e_td · ∂f/∂e_td. @source Shrikumar 2016; AllenNLP's SimpleGradient; LIT's grad·input */
export const gradientTimesInput = async (scalar: SmoothScalar): Promise<Attribution> => {
  const { value, gradient } = await slopeAt(scalar);
  return { value, scores: rowSums(combined(gradient, scalar.input, (g, x) => g * x)) };
};

/**
 * Multipliers of a changed backward pass times the input: with the rules of relevance, layer-wise relevance. Compared
 * with a scalar of 0, since what is missing is what biases took.
 */
export const relevanceOf = async (relevance: SmoothScalar): Promise<Attribution> => ({
  ...(await gradientTimesInput(relevance)),
  baseline: 0,
});

/** The input's zeros, the baseline where none is given. */
export const zerosLike = ({ input }: SmoothScalar) => vectors(input.rows, input.width);
