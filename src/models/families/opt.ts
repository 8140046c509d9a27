import type { JsonObject } from '../../base/index.js';
import { add, building, gather, inner, site, weight, type Program, type Scope, type Value } from '../../graph/index.js';
import { activation } from '../parts/activations.js';
import type { AliasNames } from '../layouts/aliases.js';
import { attendCached, attentionOutput, splitHeads } from '../parts/attention.js';
import { postNormBlock, preNormBlock } from '../parts/blocks.js';
import { ConfigReader } from '../config/config-reader.js';
import { decoderProgram, tokenTables } from '../layouts/decoder.js';
import type { Family, HasTensor } from '../family.js';
import { layerNorm, linear, tokenTable, torchLinear, unembed, type LayerNormSpec } from '../parts/layers.js';
import { plainMlp } from '../parts/mlp.js';
import { blockSegment, embedSegment, headSegment, type BlockOutputs } from '../parts/segments.js';
import { causalMask, integers } from '../parts/sequence.js';

/** Zhang et al. 2022, "OPT: Open Pre-trained Transformer Language Models"; transformers `OPTForCausalLM`. */
interface OptConfig {
  readonly vocab: number;
  readonly maxPositions: number;
  readonly modelDim: number;
  /** Width of the word embedding; matrices lead in and out where it is not the model's. */
  readonly wordDim: number;
  readonly layers: number;
  readonly heads: number;
  readonly neurons: number;
  readonly activation: string;
  readonly bias: boolean;
  readonly norm: LayerNormSpec;
  readonly preNorm: boolean;
  readonly finalNorm: boolean;
  readonly tiedHead: boolean;
}

const activationField = 'activation_function';

/** The first rows of the table of positions belong to padding. */
const positionOffset = 2;

const parseConfig = (json: JsonObject): OptConfig => {
  const c = new ConfigReader(json);
  const [modelDim, heads] = [c.integer('hidden_size'), c.integer('num_attention_heads')];
  c.require(modelDim % heads === 0, 'num_attention_heads', `a divisor of hidden_size (${modelDim})`);
  const preNorm = c.boolean('do_layer_norm_before', true);
  const parsed: OptConfig = {
    ...{ modelDim, heads, preNorm },
    vocab: c.integer('vocab_size'),
    maxPositions: c.integer('max_position_embeddings', 2048),
    wordDim: c.integer('word_embed_proj_dim', modelDim),
    layers: c.layers('num_hidden_layers'),
    neurons: c.integer('ffn_dim'),
    activation: c.string(activationField, 'relu'),
    bias: c.boolean('enable_bias', true),
    norm: { eps: 1e-5, affine: c.boolean('layer_norm_elementwise_affine', true) },
    finalNorm: preNorm && !c.boolean('_remove_final_layer_norm', false),
    tiedHead: c.boolean('tie_word_embeddings', true),
  };
  c.finish(['dropout', 'init_std', 'layerdrop']);
  return parsed;
};

/** softmax(QKᵀ/√d + M)V. Vaswani 2017 eq. 1. Gives what is added to the stream, and keys and values. */
const attention = (s: Scope, x: Value, c: OptConfig): BlockOutputs =>
  building(s, () => {
    const headDim = c.modelDim / c.heads;
    const spec = (name: string) => torchLinear(name, c.modelDim, { axis: 'model', bias: c.bias });
    const project = (name: string): Value => splitHeads(linear(s, x, spec(name)), { heads: c.heads, headDim });
    const q = site(s, 'q', project('q_proj')); // [batch, position, head, headDim]
    const k = site(s, 'k', project('k_proj')); // [batch, position, head, headDim]
    const v = site(s, 'v', project('v_proj')); // [batch, position, head, headDim]
    const z = attendCached(s, { q, k, v, scale: headDim ** -0.5, mask: causalMask(s) });
    return { resid: attentionOutput(s, z, spec('out_proj')), k, v };
  });

const block = (s: Scope, x: Value, c: OptConfig): BlockOutputs =>
  (c.preNorm ? preNormBlock : postNormBlock)(s, x, {
    ln1: (y) => layerNorm(inner(s, 'ln1', 'self_attn_layer_norm.'), y, c.norm),
    attention: (y) => attention(inner(s, 'attn', 'self_attn.'), y, c),
    ln2: (y) => layerNorm(inner(s, 'ln2', 'final_layer_norm.'), y, c.norm),
    mlp: (y) =>
      plainMlp(inner(s, 'mlp'), y, {
        up: torchLinear('fc1', c.neurons, { axis: 'neuron', bias: c.bias }),
        down: torchLinear('fc2', c.modelDim, { axis: 'model', bias: c.bias }),
        act: activation(activationField, c.activation),
      }),
  });

const embed = (s: Scope, { c, table }: { c: OptConfig; table: string }): Value => {
  const rows = gather(tokenTable(s, table, { vocab: c.vocab, modelDim: c.wordDim }), integers(s, 'ids'));
  const wide = torchLinear('project_in', c.modelDim, { axis: 'model', bias: false });
  const words = site(s, 'embed', c.wordDim === c.modelDim ? rows : linear(s, rows, wide)); // [batch, position, model]
  const shape = [c.maxPositions + positionOffset, c.modelDim];
  const place = weight(s, 'embed_positions.weight', { shape, axes: ['position', 'model'] });
  return add(words, site(s, 'pos_embed', gather(place, integers(s, 'positions'))));
};

const head = (s: Scope, x: Value, { c, table }: { c: OptConfig; table: string }): Value => {
  const normed = c.finalNorm ? layerNorm(inner(s, 'ln_final', 'final_layer_norm.'), x, c.norm) : x;
  const narrow = torchLinear('project_out', c.wordDim, { axis: 'model', bias: false });
  const out = c.wordDim === c.modelDim ? normed : linear(s, normed, narrow);
  return unembed(out, tokenTable(s, table, { vocab: c.vocab, modelDim: c.wordDim })); // [batch, position, vocab]
};

const names = (prefix: string): AliasNames => ({
  blocks: `${prefix}layers`,
  inBlock: {
    self_attn_layer_norm: 'ln1.normalized',
    self_attn: 'attn_out',
    'self_attn.out_proj': 'attn_out',
    final_layer_norm: 'ln2.normalized',
    fc1: 'mlp.pre',
    activation_fn: 'mlp.post',
    fc2: 'mlp_out',
  },
  outside: {
    [`${prefix}embed_positions`]: 'pos_embed',
    [`${prefix}final_layer_norm`]: 'ln_final.normalized',
    lm_head: 'logits',
  },
});

const build = (json: JsonObject, has: HasTensor): Program => {
  const c = parseConfig(json);
  const prefix = ['model.decoder.', 'decoder.'].find((p) => has(`${p}embed_positions.weight`)) ?? 'model.decoder.';
  const own = { embedding: `${prefix}embed_tokens.weight`, unembedding: 'lm_head.weight' };
  const tables = tokenTables(has, own, c.tiedHead);
  const cache = { kvHeads: c.heads, headDim: c.modelDim / c.heads };
  const segments = [
    embedSegment(prefix, (s) => embed(s, { c, table: tables.embedding })),
    ...Array.from({ length: c.layers }, (_, layer) =>
      blockSegment(layer, { weights: `${prefix}layers.${layer}.`, modelDim: c.modelDim, cache }, (s, x) =>
        block(s, x, c),
      ),
    ),
    headSegment(c.modelDim, { weights: prefix }, (s, x) => head(s, x, { c, table: tables.unembedding })),
  ];
  return decoderProgram({
    ...{ family: opt.name, config: json, segments, tables, sizes: c },
    inputs: { positions: { rule: 'positions', offset: positionOffset } },
    names: names(prefix),
    normalized: 'normalized',
  });
};

export const opt: Family = {
  name: 'opt',
  architectures: ['OPTForCausalLM', 'OPTModel'],
  activationField,
  ignoredTensors: /^lm_head\.weight$/,
  build,
};
