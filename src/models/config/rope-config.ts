import type { RopeScaling } from '../../graph/index.js';
import { unsupportedField, type ConfigReader } from './config-reader.js';

/** How a config says that rotary frequencies are stretched. @source transformers `modeling_rope_utils` */
interface RopeContext {
  readonly maxPositions: number;
  /** The base where the config gives none. */
  readonly base?: number;
  /** Where the config keeps the trained length outside of the scaling's own fields. */
  readonly originalLength?: number;
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

const factors = (r: ConfigReader, field: string): readonly number[] => {
  const list = r.raw(field);
  const good = Array.isArray(list) && list.every((x): x is number => typeof x === 'number' && x > 0);
  r.require(good, field, 'a list of positive numbers');
  return good ? list : [];
};

/** @source transformers `_compute_longrope_parameters`; Ding 2024 (LongRoPE) */
const longrope = (r: ConfigReader, { maxPositions, originalLength }: RopeContext): RopeScaling => {
  const trained = r.integer('original_max_position_embeddings', originalLength ?? maxPositions);
  const given = r.raw('factor') === undefined ? undefined : r.number('factor');
  const factor = originalLength === undefined ? (given ?? maxPositions / trained) : maxPositions / trained;
  const attention = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(trained));
  return {
    kind: 'longrope',
    shortFactors: factors(r, 'short_factor'),
    longFactors: factors(r, 'long_factor'),
    originalLength: trained,
    attentionFactor: r.number('attention_factor', attention),
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
  longrope,
  su: longrope, // the first name, of Phi-3
};

/** Base and scaling of one rotary table, from the object that describes it. */
const readScaling = (r: ConfigReader, context: RopeContext): RopeScaling => {
  r.raw('rope_theta');
  r.raw('partial_rotary_factor');
  const [type, legacy] = [r.raw('rope_type'), r.raw('type')];
  const kind = typeof type === 'string' ? type : typeof legacy === 'string' ? legacy : 'default';
  const read = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (!read) throw unsupportedField('rope_scaling', kind, `Kinds of scaling: ${Object.keys(kinds).join(', ')}.`);
  const scaling = read(r, context);
  r.finish();
  return scaling;
};

/** Base and scaling of a rotary table. */
export interface RopeTable {
  readonly base: number;
  readonly scaling: RopeScaling;
}

/**
 * Reads base and scaling from `rope_theta` and `rope_scaling`, or from `rope_parameters` as transformers 5 writes them.
 * @throws ModelError CONFIG_FIELD_UNSUPPORTED for a kind of scaling that is not computed
 */
export const parseRope = (c: ConfigReader, context: RopeContext): RopeTable => {
  const both = c.object('rope_parameters');
  const r = c.object('rope_scaling') ?? both;
  const own = c.raw('rope_theta') === undefined ? undefined : c.number('rope_theta');
  const base = own ?? both?.number('rope_theta', context.base ?? 10000) ?? context.base ?? 10000;
  return { base, scaling: r ? readScaling(r, context) : { kind: 'none' } };
};

/**
 * As `parseRope`, where each kind of layer has a table of its own: transformers 5 writes `rope_parameters` by kind.
 * @param kind `full_attention` or `sliding_attention`
 */
export const parseRopeOf = (c: ConfigReader, kind: string, context: RopeContext): RopeTable => {
  const own = c.object('rope_parameters')?.object(kind);
  if (!own) return parseRope(c, context);
  return { base: own.number('rope_theta', context.base ?? 10000), scaling: readScaling(own, context) };
};

/** The share of a head's numbers that is rotated. @param fallback where the config does not say */
export const partialRotary = (
  c: ConfigReader,
  { field, headDim, fallback }: { field: string; headDim: number; fallback: number },
): number => {
  const inBoth = c.object('rope_parameters')?.number('partial_rotary_factor', fallback) ?? fallback;
  const dim = Math.trunc(headDim * c.number(field, inBoth));
  c.require(
    dim > 0 && dim <= headDim && dim % 2 === 0,
    field,
    'a share of the head that is an even number of its numbers',
  );
  return dim;
};
