import type { JsonObject } from '../../base/index.js';
import { building, gather, inner, site, slice, type Program, type Scope, type Value } from '../../graph/index.js';
import { activation } from '../parts/activations.js';
import type { AliasNames } from '../layouts/aliases.js';
import { attendCached, attentionOutput, rotate, splitHeads } from '../parts/attention.js';
import { parallelBlock, preNormBlock } from '../parts/blocks.js';
import { ConfigReader } from '../config/config-reader.js';
import { decoderProgram, ropeRules, tokenTables } from '../layouts/decoder.js';
import type { Family, HasTensor } from '../family.js';
import { layerNorm, linear, tokenTable, torchLinear, unembed } from '../parts/layers.js';
import { plainMlp } from '../parts/mlp.js';
import { parseRope, partialRotary, type RopeTable } from '../config/rope-config.js';
import { blockSegment, embedSegment, headSegment, type BlockOutputs } from '../parts/segments.js';
import { causalMask, integers } from '../parts/sequence.js';

/** Black et al. 2022, "GPT-NeoX-20B"; transformers `GPTNeoXForCausalLM`; Pythia. */
interface NeoxConfig {
  readonly vocab: number;
  readonly maxPositions: number;
  readonly modelDim: number;
  readonly layers: number;
  readonly heads: number;
  readonly headDim: number;
  readonly neurons: number;
  readonly eps: number;
  readonly activation: string;
  readonly bias: boolean;
  readonly parallel: boolean;
  readonly tiedHead: boolean;
  readonly rope: RopeTable;
  /** Numbers of a head that are rotated. */
  readonly rotaryDim: number;
}

const activationField = 'hidden_act';

const parseConfig = (json: JsonObject): NeoxConfig => {
  const c = new ConfigReader(json);
  const [modelDim, heads] = [c.integer('hidden_size'), c.integer('num_attention_heads')];
  c.require(modelDim % heads === 0, 'num_attention_heads', `a divisor of hidden_size (${modelDim})`);
  const [headDim, maxPositions] = [modelDim / heads, c.integer('max_position_embeddings', 2048)];
  c.raw('partial_rotary_factor'); // transformers takes it from rotary_pct
  const parsed: NeoxConfig = {
    ...{ modelDim, heads, headDim, maxPositions },
    vocab: c.integer('vocab_size'),
    layers: c.layers('num_hidden_layers'),
    neurons: c.integer('intermediate_size'),
    eps: c.number('layer_norm_eps', 1e-5),
    activation: c.string(activationField, 'gelu'),
    bias: c.boolean('attention_bias', true),
    parallel: c.boolean('use_parallel_residual', true),
    tiedHead: c.boolean('tie_word_embeddings', false),
    rope: parseRope(c, { maxPositions, base: c.number('rotary_emb_base', 10000) }),
    rotaryDim: partialRotary(c, { field: 'rotary_pct', headDim, fallback: 0.25 }),
  };
  c.finish();
  return parsed;
};

/** softmax(QKᵀ/√d + M)V. One matrix gives each head its query, key and value side by side. */
const attention = (s: Scope, x: Value, c: NeoxConfig): BlockOutputs =>
  building(s, () => {
    const { heads, headDim } = c;
    const flat = linear(s, x, torchLinear('query_key_value', 3 * c.modelDim, { axis: 'model', bias: c.bias }));
    const qkv = splitHeads(flat, { heads, headDim: 3 * headDim }); // [batch, position, head, 3·headDim]
    const third = (i: number): Value => slice(qkv, i * headDim, (i + 1) * headDim);
    const q = site(s, 'q', third(0)); // [batch, position, head, headDim]
    const k = site(s, 'k', third(1)); // [batch, position, head, headDim]
    const v = site(s, 'v', third(2)); // [batch, position, head, headDim]
    const rotation = { dim: c.rotaryDim };
    const [rotQ, rotK] = [site(s, 'rot_q', rotate(s, q, rotation)), site(s, 'rot_k', rotate(s, k, rotation))];
    const z = attendCached(s, { q: rotQ, k: rotK, v, scale: headDim ** -0.5, mask: causalMask(s) });
    const out = attentionOutput(s, z, torchLinear('dense', c.modelDim, { axis: 'model', bias: c.bias }));
    return { resid: out, k: rotK, v };
  });

const block = (s: Scope, x: Value, c: NeoxConfig): BlockOutputs =>
  (c.parallel ? parallelBlock : preNormBlock)(s, x, {
    ln1: (y) => layerNorm(inner(s, 'ln1', 'input_layernorm.'), y, c),
    attention: (y) => attention(inner(s, 'attn', 'attention.'), y, c),
    ln2: (y) => layerNorm(inner(s, 'ln2', 'post_attention_layernorm.'), y, c),
    mlp: (y) =>
      plainMlp(inner(s, 'mlp', 'mlp.'), y, {
        up: torchLinear('dense_h_to_4h', c.neurons, { axis: 'neuron', bias: true }),
        down: torchLinear('dense_4h_to_h', c.modelDim, { axis: 'model', bias: true }),
        act: activation(activationField, c.activation),
      }),
  });

const names = (prefix: string): AliasNames => ({
  blocks: `${prefix}layers`,
  inBlock: {
    input_layernorm: 'ln1.normalized',
    attention: 'attn_out',
    'attention.dense': 'attn_out',
    post_attention_layernorm: 'ln2.normalized',
    mlp: 'mlp_out',
    'mlp.dense_h_to_4h': 'mlp.pre',
    'mlp.act': 'mlp.post',
    'mlp.dense_4h_to_h': 'mlp_out',
  },
  outside: {
    [`${prefix}embed_in`]: 'embed',
    [`${prefix}final_layer_norm`]: 'ln_final.normalized',
    embed_out: 'logits',
  },
});

const build = (json: JsonObject, has: HasTensor): Program => {
  const c = parseConfig(json);
  const prefix = has('embed_in.weight') ? '' : 'gpt_neox.'; // a bare model saves its tensors without it
  const own = { embedding: `${prefix}embed_in.weight`, unembedding: 'embed_out.weight' };
  const tables = tokenTables(has, own, c.tiedHead);
  const cache = { kvHeads: c.heads, headDim: c.headDim };
  const segments = [
    embedSegment('', (s) => site(s, 'embed', gather(tokenTable(s, tables.embedding, c), integers(s, 'ids')))),
    ...Array.from({ length: c.layers }, (_, layer) =>
      blockSegment(layer, { weights: `${prefix}layers.${layer}.`, modelDim: c.modelDim, cache }, (s, x) =>
        block(s, x, c),
      ),
    ),
    headSegment(c.modelDim, { weights: prefix }, (s, x) =>
      unembed(layerNorm(inner(s, 'ln_final', 'final_layer_norm.'), x, c), tokenTable(s, tables.unembedding, c)),
    ),
  ];
  return decoderProgram({
    ...{ family: gptNeox.name, config: json, segments, tables, sizes: c },
    inputs: ropeRules({ dim: c.rotaryDim, ...c.rope }),
    names: names(prefix),
    normalized: 'normalized',
  });
};

export const gptNeox: Family = {
  name: 'gpt_neox',
  architectures: ['GPTNeoXForCausalLM', 'GPTNeoXModel'],
  activationField,
  ignoredTensors: /attention\.(bias|masked_bias)$|rotary_emb\.inv_freq$|^embed_out\.weight$/,
  build,
};
