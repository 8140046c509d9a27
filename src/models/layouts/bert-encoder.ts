import type { JsonObject } from '../../base/index.js';
import { add, gather, inner, site, weight, type Scope, type Segment, type Value } from '../../graph/index.js';
import { activation } from '../parts/activations.js';
import { encoderAttention } from '../parts/stack-attention.js';
import { ConfigReader, unsupportedField } from '../config/config-reader.js';
import type { HasTensor } from '../family.js';
import { layerNorm, tokenTable, torchLinear } from '../parts/layers.js';
import { plainMlp } from '../parts/mlp.js';
import { postNormBlock } from '../parts/blocks.js';
import { blockSegment, embedSegment, type BlockOutputs } from '../parts/segments.js';
import { integers } from '../parts/sequence.js';

/** What BERT and RoBERTa share: fields of their configs, embeddings and blocks. Devlin 2019 §3. */
export interface BertConfig {
  readonly vocab: number;
  /** Rows of the position table. */
  readonly positions: number;
  readonly modelDim: number;
  readonly layers: number;
  readonly heads: number;
  readonly neurons: number;
  /** Kinds of tokens: first and second text. */
  readonly kinds: number;
  readonly eps: number;
  readonly activation: string;
  readonly tiedHead: boolean;
}

export const activationField = 'hidden_act';

const trainingFields = [
  'attention_probs_dropout_prob', 'hidden_dropout_prob', 'chunk_size_feed_forward', 'directionality', 'num_labels',
  'output_past', 'pad_token_id', 'pooler_fc_size', 'pooler_num_attention_heads', 'pooler_num_fc_layers',
  'pooler_size_per_head', 'pooler_type',
]; // prettier-ignore

export const parseBertConfig = (json: JsonObject): BertConfig => {
  const c = new ConfigReader(json);
  const [modelDim, heads] = [c.integer('hidden_size'), c.integer('num_attention_heads')];
  c.require(modelDim % heads === 0, 'num_attention_heads', `a divisor of hidden_size (${modelDim})`);
  const placing = c.string('position_embedding_type', 'absolute');
  if (placing !== 'absolute') throw unsupportedField('position_embedding_type', placing, 'Positions are absolute.');
  const parsed: BertConfig = {
    vocab: c.integer('vocab_size'),
    positions: c.integer('max_position_embeddings', 512),
    modelDim,
    layers: c.layers('num_hidden_layers'),
    heads,
    neurons: c.integer('intermediate_size'),
    kinds: c.integer('type_vocab_size', 2),
    eps: c.number('layer_norm_eps', 1e-12),
    activation: c.string(activationField, 'gelu'),
    tiedHead: c.boolean('tie_word_embeddings', true),
  };
  c.finish(trainingFields);
  return parsed;
};

/** A LayerNorm of a file that may still have TensorFlow's names, gamma and beta. */
export const bertNorm = (s: Scope, x: Value, { eps, has }: { readonly eps: number; readonly has: HasTensor }): Value =>
  layerNorm(s, x, { eps, ...(has(`${s.weights}gamma`) ? { names: { gain: 'gamma', bias: 'beta' } } : {}) });

/** Where the encoder is in the file, and how the file names its tensors. */
export interface BertFile {
  /** `bert.`, or nothing. */
  readonly prefix: string;
  readonly embedding: string;
  readonly has: HasTensor;
}

/** The sum of a row for the word, one for its kind and one for its position, normed. Devlin 2019 fig. 2. */
const embed = (s: Scope, c: BertConfig, { embedding, has }: BertFile): Value => {
  const table = (name: string, rows: number, axis: string): Value =>
    weight(s, `${name}.weight`, { shape: [rows, c.modelDim], axes: [axis, 'model'] });
  const words = site(s, 'embed', gather(tokenTable(s, embedding, c), integers(s, 'ids'))); // [batch, position, model]
  const kinds = site(s, 'type_embed', gather(table('token_type_embeddings', c.kinds, 'kind'), integers(s, 'types')));
  const places = gather(table('position_embeddings', c.positions, 'position'), integers(s, 'positions'));
  const sum = add(add(words, kinds), site(s, 'pos_embed', places));
  return site(s, 'ln_embed', bertNorm(inner(s, 'ln_embed', 'LayerNorm.'), sum, { eps: c.eps, has }));
};

/** Post-norm block. Vaswani 2017 §3.1. */
const block = (s: Scope, x: Value, { c, has }: { c: BertConfig; has: HasTensor }): BlockOutputs => {
  const names = { q: 'self.query', k: 'self.key', v: 'self.value', out: 'output.dense' };
  const norm = (name: string, module: string) => (y: Value) => bertNorm(inner(s, name, module), y, { eps: c.eps, has });
  const headDim = c.modelDim / c.heads;
  return postNormBlock(s, x, {
    attention: (y) =>
      encoderAttention(inner(s, 'attn', 'attention.'), y, { ...c, headDim, names, bias: true, scale: headDim ** -0.5 }),
    ln1: norm('ln1', 'attention.output.LayerNorm.'),
    mlp: (y) =>
      plainMlp(inner(s, 'mlp'), y, {
        up: torchLinear('intermediate.dense', c.neurons, { axis: 'neuron', bias: true }),
        down: torchLinear('output.dense', c.modelDim, { axis: 'model', bias: true }),
        act: activation(activationField, c.activation),
      }),
    ln2: norm('ln2', 'output.LayerNorm.'),
  });
};

/** The segments up to the last block. */
export const bertSegments = (c: BertConfig, file: BertFile): readonly Segment[] => [
  embedSegment(`${file.prefix}embeddings.`, (s) => embed(s, c, file)),
  ...Array.from({ length: c.layers }, (_, layer) =>
    blockSegment(layer, { weights: `${file.prefix}encoder.layer.${layer}.`, modelDim: c.modelDim }, (s, x) =>
      block(s, x, { c, has: file.has }),
    ),
  ),
];

/** Hugging Face's names of modules. */
export const bertNames = (prefix: string) => ({
  blocks: `${prefix}encoder.layer`,
  inBlock: {
    attention: 'resid_mid',
    'attention.output': 'resid_mid',
    'attention.output.dense': 'attn_out',
    'attention.output.LayerNorm': 'ln1.normalized',
    intermediate: 'mlp.post',
    'intermediate.dense': 'mlp.pre',
    output: 'resid_post',
    'output.dense': 'mlp_out',
    'output.LayerNorm': 'ln2.normalized',
  },
  outside: {
    [`${prefix}embeddings.word_embeddings`]: 'embed',
    [`${prefix}embeddings.position_embeddings`]: 'pos_embed',
    [`${prefix}embeddings.token_type_embeddings`]: 'type_embed',
    [`${prefix}embeddings.LayerNorm`]: 'ln_embed.normalized',
    [`${prefix}embeddings`]: 'ln_embed',
  },
});
