import type { JsonObject } from '../base/index.js';
import {
  add,
  building,
  gather,
  inner,
  linear as product,
  mul,
  site,
  weight,
  type Program,
  type RopeScaling,
  type Scope,
  type Segment,
  type Value,
} from '../graph/index.js';
import { activation } from './activations.js';
import { aliases, type AliasNames } from './aliases.js';
import { attend, headResults, mergeHeads, rotate, splitHeads } from './attention.js';
import { ConfigReader, unsupportedField } from './config-reader.js';
import type { Family, HasTensor } from './family.js';
import { linear, rmsNorm, type LinearSpec } from './layers.js';
import { parseRope } from './rope-config.js';
import { blockSegment, embedSegment, headSegment, integers, type BlockOutputs } from './segments.js';

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

const torchLinear = (name: string, out: number, rest: { axis: string; bias: boolean }): LinearSpec => ({
  name,
  out,
  layout: 'out,in',
  ...rest,
});

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
    const z = attend(s, { q: rotQ, k: rotK, v, scale: c.headDim ** -0.5 }); // [batch, position, head, headDim]
    const out = linear(s, mergeHeads(z), torchLinear('o_proj', c.modelDim, { axis: 'model', bias: c.attentionBias })); // [batch, position, model]
    headResults(s, { z, out, name: 'o_proj.weight', layout: 'out,in' });
    return { resid: out, k: rotK, v };
  });

/** act(x·gate) ⊙ (x·up), then down. Shazeer 2020 (GLU variants) eq. 6. */
const gatedMlp = (s: Scope, x: Value, c: LlamaConfig): Value =>
  building(s, () => {
    const wide = (name: string): Value =>
      linear(s, x, torchLinear(name, c.neurons, { axis: 'neuron', bias: c.mlpBias }));
    const pre = site(s, 'pre', wide('gate_proj')); // [batch, position, neuron]
    const preLinear = site(s, 'pre_linear', wide('up_proj')); // [batch, position, neuron]
    const post = site(s, 'post', mul(activation(activationField, c.activation)(pre), preLinear)); // [batch, position, neuron]
    return linear(s, post, torchLinear('down_proj', c.modelDim, { axis: 'model', bias: c.mlpBias })); // [batch, position, model]
  });

/** Pre-norm block. Touvron 2023 §2.2. */
const block = (s: Scope, x: Value, c: LlamaConfig): BlockOutputs =>
  building(s, () => {
    const { resid, k, v } = attention(
      inner(s, 'attn', 'self_attn.'),
      rmsNorm(inner(s, 'ln1', 'input_layernorm.'), x, c.eps),
      c,
    );
    const mid = site(s, 'resid_mid', add(x, site(s, 'attn_out', resid)));
    const mlpOut = gatedMlp(
      inner(s, 'mlp', 'mlp.'),
      rmsNorm(inner(s, 'ln2', 'post_attention_layernorm.'), mid, c.eps),
      c,
    );
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

/** How the file names its tensors: a bare `LlamaModel` saves them without `model.`, and tied weights stand once. */
const tensorNames = (c: LlamaConfig, has: HasTensor): { prefix: string; embedding: string; unembedding: string } => {
  const prefix = has('layers.0.input_layernorm.weight') ? '' : 'model.';
  const own = `${prefix}embed_tokens.weight`;
  const embedding = c.tiedHead && !has(own) && has('lm_head.weight') ? 'lm_head.weight' : own;
  return { prefix, embedding, unembedding: c.tiedHead ? embedding : 'lm_head.weight' };
};

const segmentsOf = (c: LlamaConfig, { prefix, embedding, unembedding }: ReturnType<typeof tensorNames>): Segment[] => {
  const shape = { modelDim: c.modelDim, kvHeads: c.kvHeads, headDim: c.headDim };
  const table = (s: Scope, name: string): Value =>
    weight({ ...s, weights: '' }, name, { shape: [c.vocab, c.modelDim], axes: ['token', 'model'] });
  return [
    embedSegment('', (s) => site(s, 'embed', gather(table(s, embedding), integers(s, 'ids')))), // [batch, position, model]
    ...Array.from({ length: c.layers }, (_, layer) =>
      blockSegment(layer, { shape, weights: `${prefix}layers.${layer}.` }, (s, x) => block(s, x, c)),
    ),
    headSegment(
      c.modelDim,
      prefix,
      (s, x) =>
        product(rmsNorm(inner(s, 'ln_final', 'norm.'), x, c.eps), table(s, unembedding), {
          layout: 'out,in',
          axis: 'vocab',
        }), // [batch, position, vocab]
    ),
  ];
};

const build = (json: JsonObject, has: HasTensor): Program => {
  const c = parseConfig(json);
  const tensors = tensorNames(c, has);
  const { prefix, embedding, unembedding } = tensors;
  const segments = segmentsOf(c, tensors);
  const rope = { dim: c.headDim, ...c.rope };
  const { layers, heads, modelDim, vocab, maxPositions } = c;
  return {
    family: llama.name,
    segments,
    inputs: {
      ids: { rule: 'ids' },
      'mask.causal': { rule: 'causal' },
      'rope.cos': { rule: 'rope', part: 'cos', rope },
      'rope.sin': { rule: 'rope', part: 'sin', rope },
    },
    facts: {
      layers,
      heads,
      modelDim,
      vocab,
      ...(c.rope.scaling.kind === 'dynamic' ? {} : { maxPositions }), // dynamic scaling reaches any length
      aliases: aliases(names(prefix), segments, 'normalized_raw'),
      embedding,
      unembedding,
    },
    config: json,
  };
};

export const llama: Family = {
  name: 'llama',
  architectures: ['LlamaForCausalLM', 'LlamaModel'],
  activationField,
  ignoredTensors: /rotary_emb\.inv_freq$|^lm_head\.weight$/,
  build,
};
