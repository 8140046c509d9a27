import type { JsonObject } from '../../base/index.js';
import type { ArchitectureKeys } from './keys.js';

/** Tensors that stretch rotary frequencies, one number a pair of dimensions. */
export interface RopeFactors {
  /** `rope_freqs.weight`: Llama 3's. */
  readonly all?: readonly number[];
  /** `rope_factors_short.weight` and `rope_factors_long.weight`: LongRoPE's. */
  readonly short?: readonly number[];
  readonly long?: readonly number[];
}

const longrope = (k: ArchitectureKeys, short: readonly number[], long: readonly number[]): JsonObject => ({
  rope_type: 'longrope',
  short_factor: short,
  long_factor: long,
  attention_factor: k.number('rope.scaling.attn_factor', 1),
  original_max_position_embeddings: k.integer('rope.scaling.original_context_length', k.integer('context_length')),
});

const yarn = (k: ArchitectureKeys, factor: number): JsonObject => ({
  rope_type: 'yarn',
  factor,
  original_max_position_embeddings: k.integer('rope.scaling.original_context_length', k.integer('context_length')),
  beta_fast: k.number('rope.scaling.yarn_beta_fast', 32),
  beta_slow: k.number('rope.scaling.yarn_beta_slow', 1),
  // Peng 2023 (YaRN) eq. 22, which llama.cpp multiplies with its own factor.
  attention_factor: k.number('rope.scaling.attn_factor', 1) * (factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1),
});

/**
 * How rotary frequencies are stretched, as `rope_scaling` of a config; null where they are not.
 * @source llama.cpp `llama-model.cpp`, `load_hparams`: a factor of 0 or none is 1, a type left out is `linear`
 * @throws ModelError CONFIG_FIELD_UNSUPPORTED
 */
export const ropeScaling = (k: ArchitectureKeys, factors: RopeFactors): JsonObject | null => {
  const type = k.text('rope.scaling.type', 'linear');
  const factor = k.number('rope.scaling.factor', k.number('rope.scale_linear', 0)) || 1;
  const { all, short, long } = factors;
  const [first, second] = all ? [all, all] : [short, long];
  if (first && second) {
    if (factor !== 1 && type !== 'longrope')
      throw k.refuse('rope.scaling.factor', 'CONFIG_FIELD_UNSUPPORTED', 'cannot be combined with tensors of factors');
    return longrope(k, first, second);
  }
  if (type === 'yarn') return yarn(k, factor);
  k.expect('rope.scaling.attn_factor', 1);
  k.has('rope.scaling.original_context_length'); // says nothing where nothing is stretched
  if (type === 'none' || type === 'longrope' || factor === 1) return null;
  if (type === 'linear') return { rope_type: 'linear', factor };
  throw k.refuse('rope.scaling.type', 'CONFIG_FIELD_UNSUPPORTED', 'is a kind of scaling that is not computed');
};
