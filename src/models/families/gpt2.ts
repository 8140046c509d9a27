import type { JsonObject } from '../../base/index.js';
import {
  add,
  building,
  gather,
  inner,
  site,
  slice,
  weight,
  type Program,
  type Scope,
  type Value,
} from '../../graph/index.js';
import { activation } from '../parts/activations.js';
import type { AliasNames } from '../layouts/aliases.js';
import { attendCached, attentionOutput, splitHeads } from '../parts/attention.js';
import { ConfigReader, unsupportedField } from '../config/config-reader.js';
import { decoderProgram, tokenTables } from '../layouts/decoder.js';
import type { Family, HasTensor } from '../family.js';
import { layerNorm, linear, tokenTable, unembed, type LinearSpec } from '../parts/layers.js';
import { plainMlp } from '../parts/mlp.js';
import { blockSegment, embedSegment, headSegment, type BlockOutputs, type BlockPlace } from '../parts/segments.js';
import { causalMask, integers } from '../parts/sequence.js';

/** Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"; transformers `GPT2LMHeadModel`. */
interface Gpt2Config {
  readonly vocab: number;
  readonly maxPositions: number;
  readonly modelDim: number;
  readonly layers: number;
  readonly heads: number;
  readonly neurons: number;
  readonly eps: number;
  readonly activation: string;
  readonly scaleByHeadDim: boolean;
  readonly scaleByLayer: boolean;
  readonly tiedHead: boolean;
}

const activationField = 'activation_function';

const parseConfig = (json: JsonObject): Gpt2Config => {
  const c = new ConfigReader(json);
  const modelDim = c.integer('n_embd');
  const heads = c.integer('n_head');
  c.require(modelDim % heads === 0, 'n_head', `a divisor of n_embd (${modelDim})`);
  c.boolean('reorder_and_upcast_attn', false); // in float32 the same numbers
  if (c.boolean('add_cross_attention', false))
    throw unsupportedField('add_cross_attention', true, 'GPT-2 is read as a decoder alone.');
  const parsed: Gpt2Config = {
    vocab: c.integer('vocab_size'),
    maxPositions: c.integer('n_positions'),
    modelDim,
    layers: c.layers('n_layer'),
    heads,
    neurons: c.integer('n_inner', 4 * modelDim),
    eps: c.number('layer_norm_epsilon', 1e-5),
    activation: c.string(activationField, 'gelu_new'),
    scaleByHeadDim: c.boolean('scale_attn_weights', true),
    scaleByLayer: c.boolean('scale_attn_by_inverse_layer_idx', false),
    tiedHead: c.boolean('tie_word_embeddings', true),
  };
  c.finish([
    'summary_activation',
    'summary_first_dropout',
    'summary_proj_to_labels',
    'summary_type',
    'summary_use_proj',
  ]);
  return parsed;
};

/** GPT-2 stores its matrices [in, out] (Conv1D). */
const conv1d = (name: string, out: number, axis: string): LinearSpec => ({
  name,
  out,
  axis,
  bias: true,
  layout: 'in,out',
});

/** softmax(QKᵀ/√d + M)V. Vaswani 2017 eq. 1. Gives what is added to the stream, and keys and values. */
const attention = (s: Scope, x: Value, { c, layer }: { c: Gpt2Config; layer: number }): BlockOutputs =>
  building(s, () => {
    const headDim = c.modelDim / c.heads;
    const qkv = linear(s, x, conv1d('c_attn', 3 * c.modelDim, 'model')); // [batch, position, 3·model]
    const third = (i: number): Value =>
      splitHeads(slice(qkv, i * c.modelDim, (i + 1) * c.modelDim), { heads: c.heads, headDim });
    const q = site(s, 'q', third(0)); // [batch, position, head, headDim]
    const k = site(s, 'k', third(1)); // [batch, position, head, headDim]
    const v = site(s, 'v', third(2)); // [batch, position, head, headDim]
    const scale = (c.scaleByHeadDim ? headDim ** -0.5 : 1) / (c.scaleByLayer ? layer + 1 : 1);
    const z = attendCached(s, { q, k, v, scale, mask: causalMask(s) }); // [batch, position, head, headDim]
    return { resid: attentionOutput(s, z, conv1d('c_proj', c.modelDim, 'model')), k, v };
  });

const mlp = (s: Scope, x: Value, c: Gpt2Config): Value =>
  plainMlp(s, x, {
    up: conv1d('c_fc', c.neurons, 'neuron'),
    down: conv1d('c_proj', c.modelDim, 'model'),
    act: activation(activationField, c.activation),
  });

/** Pre-norm block. */
const block = (s: Scope, x: Value, { c, layer }: { c: Gpt2Config; layer: number }): BlockOutputs =>
  building(s, () => {
    const normed = layerNorm(inner(s, 'ln1', 'ln_1.'), x, c);
    const { resid, k, v } = attention(inner(s, 'attn', 'attn.'), normed, { c, layer });
    const mid = site(s, 'resid_mid', add(x, site(s, 'attn_out', resid)));
    const mlpOut = site(s, 'mlp_out', mlp(inner(s, 'mlp', 'mlp.'), layerNorm(inner(s, 'ln2', 'ln_2.'), mid, c), c));
    return { resid: site(s, 'resid_post', add(mid, mlpOut)), k, v };
  });

const embed = (s: Scope, { c, table }: { c: Gpt2Config; table: string }): Value => {
  const place = weight(s, 'wpe.weight', { shape: [c.maxPositions, c.modelDim], axes: ['position', 'model'] });
  const words = site(s, 'embed', gather(tokenTable(s, table, c), integers(s, 'ids'))); // [batch, position, model]
  return add(words, site(s, 'pos_embed', gather(place, integers(s, 'positions'))));
};

const names = (prefix: string): AliasNames => ({
  blocks: `${prefix}h`,
  inBlock: {
    ln_1: 'ln1.normalized',
    attn: 'attn_out',
    'attn.c_proj': 'attn_out',
    ln_2: 'ln2.normalized',
    mlp: 'mlp_out',
    'mlp.c_fc': 'mlp.pre',
    'mlp.act': 'mlp.post',
    'mlp.c_proj': 'mlp_out',
  },
  outside: {
    [`${prefix}wte`]: 'embed',
    [`${prefix}wpe`]: 'pos_embed',
    [`${prefix}ln_f`]: 'ln_final.normalized',
    lm_head: 'logits',
  },
});

const build = (json: JsonObject, has: HasTensor): Program => {
  const c = parseConfig(json);
  const prefix = has('wte.weight') ? '' : 'transformer.'; // the first uploads name their tensors without it
  const own = { embedding: `${prefix}wte.weight`, unembedding: 'lm_head.weight' };
  const tables = tokenTables(has, own, c.tiedHead);
  const place = (layer: number): BlockPlace => ({
    weights: `${prefix}h.${layer}.`,
    modelDim: c.modelDim,
    cache: { kvHeads: c.heads, headDim: c.modelDim / c.heads },
  });
  const segments = [
    embedSegment(prefix, (s) => embed(s, { c, table: tables.embedding })),
    ...Array.from({ length: c.layers }, (_, layer) =>
      blockSegment(layer, place(layer), (s, x) => block(s, x, { c, layer })),
    ),
    headSegment(c.modelDim, { weights: prefix }, (s, x) =>
      unembed(layerNorm(inner(s, 'ln_final', 'ln_f.'), x, c), tokenTable(s, tables.unembedding, c)),
    ),
  ];
  return decoderProgram({
    ...{ family: gpt2.name, config: json, segments, tables, sizes: c },
    inputs: { positions: { rule: 'positions' } },
    names: names(prefix),
    normalized: 'normalized',
  });
};

export const gpt2: Family = {
  name: 'gpt2',
  architectures: ['GPT2LMHeadModel', 'GPT2Model', 'GPT2DoubleHeadsModel'],
  activationField,
  ignoredTensors: /(^|\.)attn\.(bias|masked_bias)$|^lm_head\.weight$/,
  build,
};
