import type { RopeScaling } from '../graph/index.js';
import { unsupportedField, type ConfigReader } from './config-reader.js';

/** How a config says that rotary frequencies are stretched. @source transformers `modeling_rope_utils` */
interface RopeContext {
  readonly maxPositions: number;
}

const llama3 = (r: ConfigReader, { maxPositions }: RopeContext): RopeScaling => ({
  kind: 'llama3',
  factor: r.number('factor'),
  lowFreqFactor: r.number('low_freq_factor'),
  highFreqFactor: r.number('high_freq_factor'),
  originalLength: r.integer('original_max_position_embeddings', maxPositions),
});

/** 0.1·m·ln(factor) + 1. Peng 2023 (YaRN) eq. 22; `m` as DeepSeek generalised it. */
const mscale = (factor: number, m: number): number => (factor <= 1 ? 1 : 0.1 * m * Math.log(factor) + 1);

const yarnAttention = (r: ConfigReader, factor: number): number => {
  const given = r.raw('attention_factor') === undefined ? undefined : r.number('attention_factor');
  const [own, all] = [r.number('mscale', 0), r.number('mscale_all_dim', 0)];
  if (given !== undefined) return given;
  return own && all ? mscale(factor, own) / mscale(factor, all) : mscale(factor, 1);
};

const yarn = (r: ConfigReader, { maxPositions }: RopeContext): RopeScaling => {
  const originalLength = r.integer('original_max_position_embeddings', maxPositions);
  const factor = r.number('factor', maxPositions / originalLength); // null: as far as the config says positions go
  return {
    kind: 'yarn',
    factor,
    originalLength,
    betaFast: r.number('beta_fast', 32),
    betaSlow: r.number('beta_slow', 1),
    truncate: r.boolean('truncate', true),
    attentionFactor: yarnAttention(r, factor),
  };
};

const kinds: Readonly<Record<string, (r: ConfigReader, context: RopeContext) => RopeScaling>> = {
  default: () => ({ kind: 'none' }),
  linear: (r) => ({ kind: 'linear', factor: r.number('factor') }),
  dynamic: (r, { maxPositions }) => {
    r.raw('original_max_position_embeddings'); // transformers starts stretching at max_position_embeddings all the same
    return { kind: 'dynamic', factor: r.number('factor'), originalLength: maxPositions };
  },
  llama3,
  yarn,
};

/**
 * Reads base and scaling from `rope_theta` and `rope_scaling`, or from `rope_parameters` as transformers 5 writes them.
 * @throws ModelError CONFIG_FIELD_UNSUPPORTED for a kind of scaling that is not computed
 */
export const parseRope = (c: ConfigReader, context: RopeContext): { base: number; scaling: RopeScaling } => {
  const both = c.object('rope_parameters');
  const r = c.object('rope_scaling') ?? both;
  const theta = c.raw('rope_theta') === undefined ? both?.number('rope_theta', 10000) : c.number('rope_theta');
  const base = theta ?? 10000;
  if (!r) return { base, scaling: { kind: 'none' } };
  r.raw('rope_theta');
  const [type, legacy] = [r.raw('rope_type'), r.raw('type')];
  const kind = typeof type === 'string' ? type : typeof legacy === 'string' ? legacy : 'default';
  const read = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (!read) throw unsupportedField('rope_scaling', kind, `Kinds of scaling: ${Object.keys(kinds).join(', ')}.`);
  const scaling = read(r, context);
  r.finish();
  return { base, scaling };
};
