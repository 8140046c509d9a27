import type { JsonObject } from '../../base/index.js';
import {
  gather,
  inner,
  mul,
  site,
  transpose,
  weight,
  type InputRule,
  type Program,
  type Scope,
  type Segment,
  type Value,
} from '../../graph/index.js';
import { activation } from '../parts/activations.js';
import { ConfigReader, unsupportedField } from '../config/config-reader.js';
import { encoderDecoderProgram, firstThere } from '../layouts/encoder-decoder.js';
import type { Family, HasTensor } from '../family.js';
import { rmsNorm, tokenTable, torchLinear, unembed } from '../parts/layers.js';
import { gatedMlp, plainMlp } from '../parts/mlp.js';
import {
  blockSegment,
  crossSegment,
  embedSegment,
  encodedSegment,
  headSegment,
  type BlockOutputs,
} from '../parts/segments.js';
import { distances, integers } from '../parts/sequence.js';
import {
  crossAttention,
  crossRows,
  decoderAttention,
  encoderAttention,
  type StackAttention,
} from '../parts/stack-attention.js';
import { preNormBlock } from '../parts/blocks.js';
import { t5Names } from '../layouts/t5-names.js';
import type { TokenTables } from '../layouts/decoder.js';

/**
 * T5: text to text, positions by a learned bias on the scores.
 * @source Raffel et al. 2020, "Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer";
 * transformers `T5ForConditionalGeneration`; 1.1: Shazeer 2020, "GLU Variants Improve Transformer"
 */
interface T5Config {
  readonly vocab: number;
  readonly modelDim: number;
  readonly layers: { readonly encoder: number; readonly decoder: number };
  readonly heads: number;
  readonly headDim: number;
  readonly neurons: number;
  readonly eps: number;
  readonly act: { readonly field: string; readonly name: string; readonly gated: boolean };
  readonly distance: { readonly buckets: number; readonly maxDistance: number };
  readonly tiedHead: boolean;
  /** Whether what the head reads is scaled; undefined: where the head is tied. */
  readonly scaledOutput: boolean | undefined;
  readonly start: number;
}

type Stack = 'encoder' | 'decoder';

/** `gated-gelu`: the tanh GELU, gated; `gelu`: the erf one. Config files may say it again, in two fields. */
const parseActivation = (c: ConfigReader, fallback: string): T5Config['act'] => {
  const projection = c.string('feed_forward_proj', fallback);
  const [, gate, plain = ''] = /^(gated-)?([^-]+)$/.exec(projection) ?? [];
  if (plain === '')
    throw unsupportedField('feed_forward_proj', projection, 'It is an activation, or `gated-` and one.');
  const field = c.raw('dense_act_fn') === undefined ? 'feed_forward_proj' : 'dense_act_fn';
  const name = c.string('dense_act_fn', projection === 'gated-gelu' ? 'gelu_new' : plain); // tanh GELU
  return { field, name, gated: c.boolean('is_gated_act', gate !== undefined) };
};

const parseConfig = (json: JsonObject, defaults: T5Defaults): T5Config => {
  const c = new ConfigReader(json);
  const [vocab, encoder] = [c.integer('vocab_size'), c.layers('num_layers')];
  c.require(c.boolean('is_encoder_decoder', true), 'is_encoder_decoder', 'true');
  const scaled = c.raw('scale_decoder_outputs') === undefined ? undefined : c.boolean('scale_decoder_outputs', true);
  const start = c.integer('decoder_start_token_id', c.integer('pad_token_id', 0, 0), 0);
  c.require(start < vocab, 'decoder_start_token_id', `below vocab_size (${vocab})`);
  const parsed: T5Config = {
    ...{ vocab, start },
    modelDim: c.integer('d_model'),
    layers: { encoder, decoder: c.raw('num_decoder_layers') === undefined ? encoder : c.layers('num_decoder_layers') },
    heads: c.integer('num_heads'),
    headDim: c.integer('d_kv', 64),
    neurons: c.integer('d_ff'),
    eps: c.number('layer_norm_epsilon', 1e-6),
    act: parseActivation(c, defaults.activation),
    distance: {
      buckets: c.integer('relative_attention_num_buckets', 32, 4),
      maxDistance: c.integer('relative_attention_max_distance', 128),
    },
    tiedHead: c.boolean('tie_word_embeddings', defaults.tied),
    scaledOutput: scaled,
  };
  const { buckets, maxDistance } = parsed.distance;
  c.require(maxDistance > buckets / 2, 'relative_attention_max_distance', `more than half the buckets (${buckets})`);
  c.finish(['dropout_rate', 'initializer_factor', 'n_positions', 'output_past', 'scalable_attention']);
  return parsed;
};

/** The learned number of each distance and head, from the table of a block. [head, query, key] */
const distanceBias = (s: Scope, c: T5Config, weights: string): Value => {
  const form = { shape: [c.distance.buckets, c.heads], axes: ['bucket', 'head'] };
  const table = weight({ ...s, weights }, 'relative_attention_bias.weight', form);
  return transpose(gather(table, distances(s)), [2, 0, 1], ['head', 'query', 'key']);
};

/** Scores are not divided by the root of `d_kv`: the initialisation takes its place. */
const attentionOf = (c: T5Config): StackAttention => ({
  ...{ modelDim: c.modelDim, heads: c.heads, headDim: c.headDim, bias: false },
  names: { q: 'q', k: 'k', v: 'v', out: 'o' },
});

/** softmax(QKᵀ + B)V. Raffel 2020 §2.1. The table is in block 0 of the stack, or, in umT5, in each block. */
const selfAttention = (
  s: Scope,
  x: Value,
  { c, stack, table }: { c: T5Config; stack: Stack; table: number },
): BlockOutputs => {
  const weights = `${stack}.block.${table}.layer.0.SelfAttention.`;
  const a = { ...attentionOf(c), scoreBias: (at: Scope) => distanceBias(at, c, weights) };
  return stack === 'encoder' ? encoderAttention(s, x, a) : decoderAttention(s, x, a);
};

const mlp = (s: Scope, x: Value, c: T5Config): Value => {
  const wide = (name: string) => torchLinear(name, c.neurons, { axis: 'neuron', bias: false });
  const down = torchLinear('wo', c.modelDim, { axis: 'model', bias: false });
  const act = activation(c.act.field, c.act.name);
  return c.act.gated
    ? gatedMlp(s, x, { gate: wide('wi_0'), up: wide('wi_1'), down, act })
    : plainMlp(s, x, { up: wide('wi'), down, act });
};

/** Pre-norm block; a decoder's looks at the encoder between attention and MLP. */
const block = (s: Scope, x: Value, { c, stack, table }: { c: T5Config; stack: Stack; table: number }): BlockOutputs => {
  const last = stack === 'encoder' ? 1 : 2;
  const ln = (name: string, layer: number) => (y: Value) =>
    rmsNorm(inner(s, name, `layer.${layer}.layer_norm.`), y, c.eps);
  const attend = (y: Value) => crossAttention(inner(s, 'cross_attn', 'layer.1.EncDecAttention.'), y, attentionOf(c));
  return preNormBlock(s, x, {
    ln1: ln('ln1', 0),
    attention: (y) => selfAttention(inner(s, 'attn', 'layer.0.SelfAttention.'), y, { c, stack, table }),
    ...(stack === 'encoder' ? {} : { cross: { ln: ln('ln_cross', 1), attention: attend } }),
    ln2: ln('ln2', last),
    mlp: (y) => mlp(inner(s, 'mlp', `layer.${last}.DenseReluDense.`), y, c),
  });
};

/** Where the blocks of a stack stand in the file, and what they keep. */
const blocks = (c: T5Config, stack: Stack, tableOf: (layer: number) => number): Segment[] =>
  Array.from({ length: c.layers[stack] }, (_, layer) => {
    const place = { weights: `${stack}.block.${layer}.`, modelDim: c.modelDim, stack };
    const cache = stack === 'encoder' ? {} : { cache: { kvHeads: c.heads, headDim: c.headDim } };
    return blockSegment(layer, { ...place, ...cache }, (s, x) => block(s, x, { c, stack, table: tableOf(layer) }));
  });

const embed = (c: T5Config, table: string, stack: Stack): Segment =>
  embedSegment('', (s) => site(s, 'embed', gather(tokenTable(s, table, c), integers(s, 'ids'))), stack); // [batch, position, model]

const finalNorm = (s: Scope, x: Value, c: T5Config): Value =>
  rmsNorm(inner(s, 'ln_final', 'final_layer_norm.'), x, c.eps);

/** The stream's end is scaled where embedding and head are one table. Raffel 2020's mesh code; transformers as well. */
const scores = (s: Scope, x: Value, { c, table }: { c: T5Config; table: string }): Value => {
  const normed = finalNorm(s, x, c);
  const read = (c.scaledOutput ?? c.tiedHead) ? mul(normed, c.modelDim ** -0.5) : normed;
  return unembed(read, tokenTable(s, table, c)); // [batch, position, vocab]
};

/** One table may stand under any of its names; transformers 5 calls every head tied, and keeps one of its own. */
const tablesOf = (has: HasTensor, { tiedHead, scaledOutput }: T5Config): TokenTables => {
  const own = 'lm_head.weight';
  const tied = tiedHead && (scaledOutput === undefined || !has(own));
  const copies = ['encoder.embed_tokens.weight', 'decoder.embed_tokens.weight', ...(tied ? [own] : [])];
  const embedding = firstThere(has, ['shared.weight', ...copies]);
  return { embedding, unembedding: tied ? embedding : own };
};

const distanceRules = ({ distance }: T5Config): Readonly<Record<string, InputRule>> => ({
  'encoder.distance': { rule: 'distance', ...distance, bidirectional: true },
  distance: { rule: 'distance', ...distance, bidirectional: false },
});

/** What differs among the families that are T5 by another name. */
interface T5Defaults {
  readonly name: string;
  readonly activation: string;
  readonly tied: boolean;
  /** Whether each block has a table of distances; else block 0's is everybody's. */
  readonly tableInEachBlock: boolean;
}

const build = (json: JsonObject, has: HasTensor, defaults: T5Defaults): Program => {
  const c = parseConfig(json, defaults);
  const tables = tablesOf(has, c);
  const tableOf = (layer: number): number => (defaults.tableInEachBlock ? layer : 0);
  const cross = {
    layers: c.layers.decoder,
    modelDim: c.modelDim,
    weights: (layer: number) => `decoder.block.${layer}.`,
  };
  return encoderDecoderProgram({
    ...{ family: defaults.name, config: json, tables },
    sizes: { ...c, layers: c.layers.decoder },
    encoder: { layers: c.layers.encoder, vocab: c.vocab, start: c.start },
    segments: [
      embed(c, tables.embedding, 'encoder'),
      ...blocks(c, 'encoder', tableOf),
      encodedSegment(c.modelDim, 'encoder.', (s, x) => finalNorm(s, x, c)),
      crossSegment(cross, (s, source) =>
        crossRows(inner(s, 'cross_attn', 'layer.1.EncDecAttention.'), source, attentionOf(c)),
      ),
      embed(c, tables.embedding, 'decoder'),
      ...blocks(c, 'decoder', tableOf),
      headSegment(c.modelDim, { weights: 'decoder.', stack: 'decoder' }, (s, x) =>
        scores(s, x, { c, table: tables.unembedding }),
      ),
    ],
    inputs: distanceRules(c),
    names: t5Names(c.act.gated),
  });
};

const family = (defaults: T5Defaults, architectures: readonly string[]): Family => ({
  name: defaults.name,
  architectures,
  activationField: 'dense_act_fn',
  // copies of the embedding, and the first uploads' table of cross-attention, which was never read
  ignoredTensors:
    /^(encoder|decoder)\.embed_tokens\.weight$|EncDecAttention\.relative_attention_bias\.weight$|^lm_head\.weight$/,
  build: (json, has) => build(json, has, defaults),
});

export const t5 = family({ name: 't5', activation: 'relu', tied: true, tableInEachBlock: false }, [
  'T5ForConditionalGeneration',
  'T5Model',
  'T5WithLMHeadModel',
]);

/** T5 1.1 in many languages. @source Xue et al. 2021, "mT5"; transformers `MT5ForConditionalGeneration` */
export const mt5 = family({ name: 'mt5', activation: 'gated-gelu', tied: false, tableInEachBlock: false }, [
  'MT5ForConditionalGeneration',
  'MT5Model',
]);

/** As mT5, with a table of distances in each block. @source Chung et al. 2023, "UniMax"; transformers `UMT5ForConditionalGeneration` */
export const umt5 = family({ name: 'umt5', activation: 'gated-gelu', tied: true, tableInEachBlock: true }, [
  'UMT5ForConditionalGeneration',
  'UMT5Model',
]);
