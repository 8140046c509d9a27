import type { JsonObject } from '../base/index.js';
import {
  add,
  building,
  gather,
  inner,
  site,
  type Program,
  type RopeScaling,
  type Scope,
  type Value,
} from '../graph/index.js';
import { activation } from './activations.js';
import type { AliasNames } from './aliases.js';
import { attendCached, attentionOutput, rotate, splitHeads } from './attention.js';
import { ConfigReader, unsupportedField } from './config-reader.js';
import { decoderProgram, ropeRules, tokenTables } from './decoder.js';
import type { Family, HasTensor } from './family.js';
import { linear, rmsNorm, tokenTable, torchLinear, unembed, type LinearSpec } from './layers.js';
import { gatedMlp } from './mlp.js';
import { parseRope } from './rope-config.js';
import { blockSegment, embedSegment, headSegment, type BlockOutputs, type BlockPlace } from './segments.js';
import { causalMask, integers } from './sequence.js';

/** Touvron et al. 2023, "LLaMA: Open and Efficient Foundation Language Models"; transformers `LlamaForCausalLM`. */
interface LlamaConfig {
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
  readonly attentionBias: boolean;
  readonly mlpBias: boolean;
  readonly tiedHead: boolean;
  readonly rope: { readonly base: number; readonly scaling: RopeScaling };
}

const activationField = 'hidden_act';

const parseConfig = (json: JsonObject): LlamaConfig => {
  const c = new ConfigReader(json);
  const [modelDim, heads, maxPositions] = [
    c.integer('hidden_size'),
    c.integer('num_attention_heads'),
    c.integer('max_position_embeddings', 2048),
  ];
  const kvHeads = c.integer('num_key_value_heads', heads);
  const headDim = c.integer('head_dim', Math.floor(modelDim / heads));
  c.require(heads % kvHeads === 0, 'num_key_value_heads', `a divisor of num_attention_heads (${heads})`);
  c.require(headDim % 2 === 0, 'head_dim', 'even, for rotary positions');
  const slices = c.integer('pretraining_tp', 1); // only splits the products; transformers 4.50 dropped it
  if (slices > 1 && modelDim % slices !== 0)
    throw unsupportedField('pretraining_tp', slices, 'It must divide hidden_size.');
  const parsed: LlamaConfig = {
    vocab: c.integer('vocab_size'),
    maxPositions,
    modelDim,
    layers: c.layers('num_hidden_layers'),
    heads,
    kvHeads,
    headDim,
    neurons: c.integer('intermediate_size'),
    eps: c.number('rms_norm_eps', 1e-6),
    activation: c.string(activationField, 'silu'),
    attentionBias: c.boolean('attention_bias', false),
    mlpBias: c.boolean('mlp_bias', false),
    tiedHead: c.boolean('tie_word_embeddings', false),
    rope: parseRope(c, { maxPositions }),
  };
  c.finish();
  return parsed;
};

/** softmax(QKᵀ/√d + M)V with rotary positions and grouped keys. Vaswani 2017 eq. 1; Su 2021; Ainslie 2023 §2.2. */
const attention = (s: Scope, x: Value, c: LlamaConfig): BlockOutputs =>
  building(s, () => {
    const project = (name: string, heads: number): Value => {
      const x0 = linear(s, x, torchLinear(name, heads * c.headDim, { axis: 'model', bias: c.attentionBias }));
      return splitHeads(x0, { heads, headDim: c.headDim, grouped: name !== 'q_proj' && c.kvHeads < c.heads });
    };
    const q = site(s, 'q', project('q_proj', c.heads)); // [batch, position, head, headDim]
    const k = site(s, 'k', project('k_proj', c.kvHeads)); // [batch, position, kvHead, headDim]
    const v = site(s, 'v', project('v_proj', c.kvHeads)); // [batch, position, kvHead, headDim]
    const [rotQ, rotK] = [site(s, 'rot_q', rotate(s, q)), site(s, 'rot_k', rotate(s, k))];
    const z = attendCached(s, { q: rotQ, k: rotK, v, scale: c.headDim ** -0.5, mask: causalMask(s) }); // [batch, position, head, headDim]
    const out = attentionOutput(s, z, torchLinear('o_proj', c.modelDim, { axis: 'model', bias: c.attentionBias })); // [batch, position, model]
    return { resid: out, k: rotK, v };
  });

const mlp = (s: Scope, x: Value, c: LlamaConfig): Value => {
  const wide = (name: string): LinearSpec => torchLinear(name, c.neurons, { axis: 'neuron', bias: c.mlpBias });
  const down = torchLinear('down_proj', c.modelDim, { axis: 'model', bias: c.mlpBias });
  return gatedMlp(s, x, {
    gate: wide('gate_proj'),
    up: wide('up_proj'),
    down,
    act: activation(activationField, c.activation),
  });
};

/** Pre-norm block. Touvron 2023 §2.2. */
const block = (s: Scope, x: Value, c: LlamaConfig): BlockOutputs =>
  building(s, () => {
    const { resid, k, v } = attention(
      inner(s, 'attn', 'self_attn.'),
      rmsNorm(inner(s, 'ln1', 'input_layernorm.'), x, c.eps),
      c,
    );
    const mid = site(s, 'resid_mid', add(x, site(s, 'attn_out', resid)));
    const mlpOut = mlp(inner(s, 'mlp', 'mlp.'), rmsNorm(inner(s, 'ln2', 'post_attention_layernorm.'), mid, c.eps), c);
    return { resid: site(s, 'resid_post', add(mid, site(s, 'mlp_out', mlpOut))), k, v };
  });

const names = (prefix: string): AliasNames => ({
  blocks: `${prefix}layers`,
  inBlock: {
    input_layernorm: 'ln1.normalized',
    self_attn: 'attn_out',
    'self_attn.o_proj': 'attn_out',
    post_attention_layernorm: 'ln2.normalized',
    mlp: 'mlp_out',
    'mlp.gate_proj': 'mlp.pre',
    'mlp.up_proj': 'mlp.pre_linear',
    'mlp.down_proj': 'mlp_out',
  },
  outside: { [`${prefix}embed_tokens`]: 'embed', [`${prefix}norm`]: 'ln_final.normalized', lm_head: 'logits' },
});

const build = (json: JsonObject, has: HasTensor): Program => {
  const c = parseConfig(json);
  const prefix = has('layers.0.input_layernorm.weight') ? '' : 'model.'; // a bare `LlamaModel` saves them without
  const own = { embedding: `${prefix}embed_tokens.weight`, unembedding: 'lm_head.weight' };
  const tables = tokenTables(has, own, c.tiedHead);
  const place = (layer: number): BlockPlace => ({
    weights: `${prefix}layers.${layer}.`,
    modelDim: c.modelDim,
    cache: { kvHeads: c.kvHeads, headDim: c.headDim },
  });
  const segments = [
    embedSegment('', (s) => site(s, 'embed', gather(tokenTable(s, tables.embedding, c), integers(s, 'ids')))), // [batch, position, model]
    ...Array.from({ length: c.layers }, (_, layer) => blockSegment(layer, place(layer), (s, x) => block(s, x, c))),
    headSegment(c.modelDim, { weights: prefix }, (s, x) =>
      unembed(rmsNorm(inner(s, 'ln_final', 'norm.'), x, c.eps), tokenTable(s, tables.unembedding, c)),
    ),
  ];
  return decoderProgram({
    ...{ family: llama.name, config: json, segments, tables },
    sizes: { ...c, maxPositions: c.rope.scaling.kind === 'dynamic' ? undefined : c.maxPositions }, // dynamic scaling reaches any length
    inputs: ropeRules({ dim: c.headDim, ...c.rope }),
    names: names(prefix),
    normalized: 'normalized_raw',
  });
};

export const llama: Family = {
  name: 'llama',
  architectures: ['LlamaForCausalLM', 'LlamaModel'],
  activationField,
  ignoredTensors: /rotary_emb\.inv_freq$|^lm_head\.weight$/,
  build,
};
