import type { JsonObject } from '../../base/index.js';
import { gather, inner, mul, site, type InputRule, type Program, type Scope, type Value } from '../../graph/index.js';
import { activation } from '../parts/activations.js';
import type { AliasNames } from './aliases.js';
import { unsupportedField, type ConfigReader } from '../config/config-reader.js';
import { decoderProgram, tokenTables } from './decoder.js';
import type { HasTensor } from '../family.js';
import { tokenTable, torchLinear, unembed } from '../parts/layers.js';
import { gatedMlp } from '../parts/mlp.js';
import { parseRope, type RopeTable } from '../config/rope-config.js';
import { blockSegment, embedSegment, headSegment, type BlockOutputs } from '../parts/segments.js';
import { integers } from '../parts/sequence.js';

/** What the configs of all models have that are laid out as Llama. */
export interface LlamaSizes {
  readonly vocab: number;
  readonly maxPositions: number;
  readonly modelDim: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly neurons: number;
  readonly eps: number;
  readonly activation: string;
  readonly tiedHead: boolean;
  readonly rope: RopeTable;
}

export interface SizeDefaults {
  readonly activationField: string;
  readonly activation: string;
  readonly tied: boolean;
  readonly maxPositions: number;
  readonly eps?: number;
  /** Left out: `rms_norm_eps`. */
  readonly epsField?: string;
  readonly ropeBase?: number;
  readonly kvHeads?: number;
  readonly headDim?: number;
  /** How the rotary table is described, where otherwise than in Llama's config. */
  readonly rope?: (c: ConfigReader, maxPositions: number) => RopeTable;
}

/** Reads the common fields. Defaults are those of transformers' config class of the family. */
export const readSizes = (c: ConfigReader, d: SizeDefaults): LlamaSizes => {
  const [modelDim, heads] = [c.integer('hidden_size'), c.integer('num_attention_heads')];
  const maxPositions = c.integer('max_position_embeddings', d.maxPositions);
  const kvHeads = c.integer('num_key_value_heads', d.kvHeads ?? heads);
  const headDim = c.integer('head_dim', d.headDim ?? Math.floor(modelDim / heads));
  c.require(heads % kvHeads === 0, 'num_key_value_heads', `a divisor of num_attention_heads (${heads})`);
  c.require(headDim % 2 === 0, 'head_dim', 'even, for rotary positions');
  return {
    ...{ modelDim, heads, maxPositions, kvHeads, headDim },
    vocab: c.integer('vocab_size'),
    layers: c.layers('num_hidden_layers'),
    neurons: c.integer('intermediate_size'),
    eps: c.number(d.epsField ?? 'rms_norm_eps', d.eps ?? 1e-6),
    activation: c.string(d.activationField, d.activation),
    tiedHead: c.boolean('tie_word_embeddings', d.tied),
    rope:
      d.rope?.(c, maxPositions) ??
      parseRope(c, { maxPositions, ...(d.ropeBase === undefined ? {} : { base: d.ropeBase }) }),
  };
};

/**
 * Which layers see only a window of keys, from `layer_types`.
 * @param otherwise tells it where the config has no such list
 * @throws ModelError CONFIG_FIELD_UNSUPPORTED for another kind of layer
 */
export const windowedLayers = (
  c: ConfigReader,
  layers: number,
  otherwise: (layer: number) => boolean,
): readonly boolean[] => {
  const types = c.raw('layer_types');
  if (types === undefined) return Array.from({ length: layers }, (_, layer) => otherwise(layer));
  const list: readonly unknown[] = Array.isArray(types) ? types : [types];
  const odd = list.find((t) => t !== 'full_attention' && t !== 'sliding_attention');
  if (odd !== undefined) throw unsupportedField('layer_types', odd, 'Layers are full_attention or sliding_attention.');
  c.require(list.length === layers, 'layer_types', `a list with an entry for each of the ${layers} layers`);
  return list.map((t) => t === 'sliding_attention');
};

/** The sizes of a gated MLP, and the config field that names its activation. */
export interface LlamaMlp extends Pick<LlamaSizes, 'neurons' | 'modelDim' | 'activation'> {
  readonly field: string;
  readonly bias?: boolean;
}

/** `act(x·gate) ⊙ (x·up)`, then `down`, by the names of Llama's file. */
export const llamaMlp = (s: Scope, x: Value, { field, bias = false, ...c }: LlamaMlp): Value =>
  gatedMlp(s, x, {
    gate: torchLinear('gate_proj', c.neurons, { axis: 'neuron', bias }),
    up: torchLinear('up_proj', c.neurons, { axis: 'neuron', bias }),
    down: torchLinear('down_proj', c.modelDim, { axis: 'model', bias }),
    act: activation(field, c.activation),
  });

/** Names of modules that all files of this layout share. */
const outside = (prefix: string): AliasNames['outside'] => ({
  [`${prefix}embed_tokens`]: 'embed',
  [`${prefix}norm`]: 'ln_final.normalized',
  lm_head: 'logits',
});

/** Modules of a block whose output is a site, apart from the MLP's. */
export const attentionModules: AliasNames['inBlock'] = {
  input_layernorm: 'ln1.normalized',
  self_attn: 'attn_out',
  'self_attn.o_proj': 'attn_out',
  post_attention_layernorm: 'ln2.normalized',
};

/** Modules of a block whose output is a site, where norms stand before attention and MLP. */
export const preNormModules: AliasNames['inBlock'] = {
  ...attentionModules,
  mlp: 'mlp_out',
  'mlp.gate_proj': 'mlp.pre',
  'mlp.up_proj': 'mlp.pre_linear',
  'mlp.down_proj': 'mlp_out',
};

/** Modules of a block whose output is a site, where norms stand before and behind attention and MLP. */
export const sandwichModules: AliasNames['inBlock'] = {
  ...preNormModules,
  self_attn: 'attn.out_raw',
  'self_attn.o_proj': 'attn.out_raw',
  post_attention_layernorm: 'attn_out',
  pre_feedforward_layernorm: 'ln2.normalized',
  mlp: 'mlp.out_raw',
  'mlp.down_proj': 'mlp.out_raw',
  post_feedforward_layernorm: 'mlp_out',
};

/** A family's own parts of a model whose file is laid out as Llama's: `model.layers.3.`, `model.norm`, `lm_head`. */
export interface LlamaLayout {
  readonly family: string;
  readonly config: JsonObject;
  readonly has: HasTensor;
  readonly sizes: LlamaSizes;
  readonly block: (s: Scope, x: Value, layer: number) => BlockOutputs;
  readonly norm: (s: Scope, x: Value) => Value;
  /** Multiplies the embedding. */
  readonly embedScale?: number;
  /** From the scores of the tokens to the logits. */
  readonly finish?: (logits: Value) => Value;
  readonly inputs: Readonly<Record<string, InputRule>>;
  readonly inBlock: AliasNames['inBlock'];
}

const embed = (
  s: Scope,
  { table, sizes, scale }: { table: string; sizes: LlamaLayout['sizes']; scale: number | undefined },
): Value => {
  const words = gather(tokenTable(s, table, sizes), integers(s, 'ids'));
  return site(s, 'embed', scale === undefined ? words : mul(words, scale)); // [batch, position, model]
};

const unchanged = (x: Value): Value => x;

/** The program of a decoder laid out as Llama. A bare model (`LlamaModel`) saves its tensors without `model.`. */
export const llamaLayout = (parts: LlamaLayout): Program => {
  const { sizes, has, block, norm, finish = unchanged } = parts;
  const prefix = has('norm.weight') ? '' : 'model.';
  const own = { embedding: `${prefix}embed_tokens.weight`, unembedding: 'lm_head.weight' };
  const tables = tokenTables(has, own, sizes.tiedHead);
  const { layers, modelDim, kvHeads, headDim } = sizes;
  const dynamic = sizes.rope.scaling.kind === 'dynamic'; // reaches any length
  const place = (layer: number) => ({ weights: `${prefix}layers.${layer}.`, modelDim, cache: { kvHeads, headDim } });
  return decoderProgram({
    ...{ family: parts.family, config: parts.config, tables, inputs: parts.inputs },
    sizes: { ...sizes, maxPositions: dynamic ? undefined : sizes.maxPositions },
    segments: [
      embedSegment('', (s) => embed(s, { table: tables.embedding, sizes, scale: parts.embedScale })),
      ...Array.from({ length: layers }, (_, layer) => blockSegment(layer, place(layer), (s, x) => block(s, x, layer))),
      headSegment(modelDim, { weights: prefix }, (s, x) =>
        finish(unembed(norm(inner(s, 'ln_final', 'norm.'), x), tokenTable(s, tables.unembedding, sizes))),
      ), // [batch, position, vocab]
    ],
    names: { blocks: `${prefix}layers`, inBlock: parts.inBlock, outside: outside(prefix) },
    normalized: 'normalized_raw',
  });
};
