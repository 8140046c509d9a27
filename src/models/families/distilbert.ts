import type { JsonObject } from '../../base/index.js';
import {
  add,
  gather,
  inner,
  relu,
  site,
  weight,
  type Program,
  type Scope,
  type Segment,
  type Value,
} from '../../graph/index.js';
import { activation } from '../parts/activations.js';
import type { AliasNames } from '../layouts/aliases.js';
import { bertNorm } from '../layouts/bert-encoder.js';
import { encoderAttention } from '../parts/stack-attention.js';
import { ConfigReader } from '../config/config-reader.js';
import { tokenTables, type TokenTables } from '../layouts/decoder.js';
import { encoderProgram } from '../layouts/encoder.js';
import { encoderOutput, labelHead, wordHead } from '../parts/encoder-heads.js';
import type { Family, HasTensor } from '../family.js';
import { labelsOf } from '../config/labels.js';
import { tokenTable, torchLinear } from '../parts/layers.js';
import { plainMlp } from '../parts/mlp.js';
import { postNormBlock } from '../parts/blocks.js';
import { blockSegment, embedSegment, headSegment, type BlockOutputs } from '../parts/segments.js';
import { integers } from '../parts/sequence.js';

/** Sanh et al. 2019, "DistilBERT": BERT with half the blocks and no kinds of tokens; `DistilBertForMaskedLM`. */
interface DistilBertConfig {
  readonly vocab: number;
  readonly maxPositions: number;
  readonly modelDim: number;
  readonly layers: number;
  readonly heads: number;
  readonly neurons: number;
  readonly activation: string;
  readonly tiedHead: boolean;
}

const activationField = 'activation';
const eps = 1e-12; // not in the config

const parseConfig = (json: JsonObject): DistilBertConfig => {
  const c = new ConfigReader(json);
  const [modelDim, heads] = [c.integer('dim', 768), c.integer('n_heads', 12)];
  c.require(modelDim % heads === 0, 'n_heads', `a divisor of dim (${modelDim})`);
  c.boolean('sinusoidal_pos_embds', false); // how the table of positions was begun; the file has it in full
  const parsed: DistilBertConfig = {
    vocab: c.integer('vocab_size'),
    maxPositions: c.integer('max_position_embeddings', 512),
    modelDim,
    layers: c.layers('n_layers'),
    heads,
    neurons: c.integer('hidden_dim', 3072),
    activation: c.string(activationField, 'gelu'),
    tiedHead: c.boolean('tie_word_embeddings', true),
  };
  c.finish(['chunk_size_feed_forward', 'dropout', 'num_labels', 'qa_dropout', 'seq_classif_dropout', 'tie_weights_']);
  return parsed;
};

interface DistilBertFile {
  readonly prefix: string;
  readonly tables: TokenTables;
  readonly has: HasTensor;
}

const norm = (s: Scope, has: HasTensor) => (name: string, module: string) => (x: Value) =>
  bertNorm(inner(s, name, module), x, { eps, has });

const embed = (s: Scope, c: DistilBertConfig, { tables, has }: DistilBertFile): Value => {
  const shape = [c.maxPositions, c.modelDim];
  const table = weight(s, 'position_embeddings.weight', { shape, axes: ['position', 'model'] });
  const words = site(s, 'embed', gather(tokenTable(s, tables.embedding, c), integers(s, 'ids'))); // [batch, position, model]
  const sum = add(words, site(s, 'pos_embed', gather(table, integers(s, 'positions'))));
  return site(s, 'ln_embed', norm(s, has)('ln_embed', 'LayerNorm.')(sum));
};

/** Post-norm block. Vaswani 2017 §3.1. */
const block = (s: Scope, x: Value, { c, has }: { c: DistilBertConfig; has: HasTensor }): BlockOutputs => {
  const names = { q: 'q_lin', k: 'k_lin', v: 'v_lin', out: 'out_lin' };
  const headDim = c.modelDim / c.heads;
  return postNormBlock(s, x, {
    attention: (y) =>
      encoderAttention(inner(s, 'attn', 'attention.'), y, { ...c, headDim, names, bias: true, scale: headDim ** -0.5 }),
    ln1: norm(s, has)('ln1', 'sa_layer_norm.'),
    mlp: (y) =>
      plainMlp(inner(s, 'mlp', 'ffn.'), y, {
        up: torchLinear('lin1', c.neurons, { axis: 'neuron', bias: true }),
        down: torchLinear('lin2', c.modelDim, { axis: 'model', bias: true }),
        act: activation(activationField, c.activation),
      }),
    ln2: norm(s, has)('ln2', 'output_layer_norm.'),
  });
};

/** The head that scores words; its activation is that of the blocks. */
const words = (c: DistilBertConfig, { tables, has }: DistilBertFile): Segment =>
  headSegment(c.modelDim, { weights: '' }, (s, x) =>
    wordHead(s, x, {
      ...c,
      dense: 'vocab_transform',
      act: activation(activationField, c.activation),
      norm: (at, y) => bertNorm({ ...at, weights: 'vocab_layer_norm.' }, y, { eps, has }),
      tables,
      bias: 'vocab_projector.bias',
    }),
  );

/** A classifier of the first position, with ReLU, whatever the blocks have. */
const labels = ({ modelDim }: DistilBertConfig, count: number): Segment =>
  headSegment(modelDim, { weights: '' }, (s, x) =>
    labelHead(s, x, { modelDim, labels: count, dense: 'pre_classifier', act: relu, out: 'classifier' }),
  );

const names = (prefix: string): AliasNames => ({
  blocks: `${prefix}transformer.layer`,
  inBlock: {
    attention: 'attn_out',
    'attention.out_lin': 'attn_out',
    sa_layer_norm: 'ln1.normalized',
    ffn: 'mlp_out',
    'ffn.lin1': 'mlp.pre',
    'ffn.activation': 'mlp.post',
    'ffn.lin2': 'mlp_out',
    output_layer_norm: 'ln2.normalized',
  },
  outside: {
    [`${prefix}embeddings.word_embeddings`]: 'embed',
    [`${prefix}embeddings.position_embeddings`]: 'pos_embed',
    [`${prefix}embeddings.LayerNorm`]: 'ln_embed.normalized',
    [`${prefix}embeddings`]: 'ln_embed',
    vocab_transform: 'head.pre',
    vocab_layer_norm: 'head.ln.normalized',
    vocab_projector: 'logits',
    pre_classifier: 'head.pre',
    classifier: 'logits',
  },
});

const build = (json: JsonObject, has: HasTensor): Program => {
  const c = parseConfig(json);
  const prefix = has('embeddings.word_embeddings.weight') ? '' : 'distilbert.';
  const classes = encoderOutput(json, has('pre_classifier.weight')) === 'labels' ? labelsOf(json) : undefined;
  const embedding = `${prefix}embeddings.word_embeddings.weight`;
  const own = { embedding, unembedding: 'vocab_projector.weight' };
  const tables = classes ? { embedding, unembedding: embedding } : tokenTables(has, own, c.tiedHead);
  const file = { prefix, tables, has };
  const place = (layer: number) => ({ weights: `${prefix}transformer.layer.${layer}.`, modelDim: c.modelDim });
  const segments = [
    embedSegment(`${prefix}embeddings.`, (s) => embed(s, c, file)),
    ...Array.from({ length: c.layers }, (_, layer) =>
      blockSegment(layer, place(layer), (s, x) => block(s, x, { c, has })),
    ),
    classes ? labels(c, classes.length) : words(c, file),
  ];
  return encoderProgram({
    ...{ family: distilbert.name, config: json, segments, tables, sizes: c, labels: classes },
    inputs: { positions: { rule: 'positions' } },
    names: names(prefix),
  });
};

export const distilbert: Family = {
  name: 'distilbert',
  architectures: ['DistilBertForMaskedLM', 'DistilBertForSequenceClassification'],
  activationField,
  ignoredTensors: /(^|\.)embeddings\.position_ids$|^vocab_(projector|transform|layer_norm)\.(weight|bias)$/,
  build,
};
