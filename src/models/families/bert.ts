import type { JsonObject } from '../../base/index.js';
import type { Program, Segment } from '../../graph/index.js';
import { activation } from '../parts/activations.js';
import {
  activationField,
  bertNames,
  bertNorm,
  bertSegments,
  parseBertConfig,
  type BertConfig,
} from '../layouts/bert-encoder.js';
import { tokenTables, type TokenTables } from '../layouts/decoder.js';
import { encoderProgram } from '../layouts/encoder.js';
import { encoderOutput, labelHead, savedBias, wordHead } from '../parts/encoder-heads.js';
import type { Family, HasTensor } from '../family.js';
import { labelsOf } from '../config/labels.js';
import { headSegment } from '../parts/segments.js';

/** Devlin et al. 2019, "BERT: Pre-training of Deep Bidirectional Transformers"; transformers `BertForMaskedLM`. */
interface BertFile {
  readonly prefix: string;
  readonly tables: TokenTables;
  readonly has: HasTensor;
}

/** The head that scores words; its activation is that of the blocks. */
const words = (c: BertConfig, { tables, has }: BertFile): Segment =>
  headSegment(c.modelDim, { weights: 'cls.predictions.' }, (s, x) =>
    wordHead(s, x, {
      ...c,
      dense: 'transform.dense',
      act: activation(activationField, c.activation),
      norm: (at, y) => bertNorm({ ...at, weights: `${at.weights}transform.LayerNorm.` }, y, { eps: c.eps, has }),
      tables,
      bias: savedBias(has, 'cls.predictions.bias', 'cls.predictions.decoder.bias'),
    }),
  );

/** A classifier of the pooled first position; the pooler's activation is tanh, whatever the blocks have. */
const labels = (c: BertConfig, { prefix }: BertFile, count: number): Segment =>
  headSegment(c.modelDim, { weights: '' }, (s, x) =>
    labelHead(s, x, { modelDim: c.modelDim, labels: count, dense: `${prefix}pooler.dense`, out: 'classifier' }),
  );

const names = (prefix: string) => {
  const { outside, ...rest } = bertNames(prefix);
  return {
    ...rest,
    outside: {
      ...outside,
      'cls.predictions.transform.dense': 'head.pre',
      'cls.predictions.transform.LayerNorm': 'head.ln.normalized',
      'cls.predictions.transform': 'head.ln.normalized',
      'cls.predictions.decoder': 'logits',
      'cls.predictions': 'logits',
      [`${prefix}pooler.dense`]: 'head.pre',
      [`${prefix}pooler`]: 'pooled',
      classifier: 'logits',
    },
  };
};

const build = (json: JsonObject, has: HasTensor): Program => {
  const c = parseBertConfig(json);
  const prefix = has('embeddings.word_embeddings.weight') ? '' : 'bert.'; // as saved of a bare `BertModel`
  const classes = encoderOutput(json, has('classifier.weight')) === 'labels' ? labelsOf(json) : undefined;
  const embedding = `${prefix}embeddings.word_embeddings.weight`;
  const own = { embedding, unembedding: 'cls.predictions.decoder.weight' };
  const tables = classes ? { embedding, unembedding: embedding } : tokenTables(has, own, c.tiedHead);
  const file = { prefix, embedding: tables.embedding, tables, has };
  return encoderProgram({
    ...{ family: bert.name, config: json, tables, labels: classes },
    sizes: { ...c, maxPositions: c.positions },
    segments: [...bertSegments(c, file), classes ? labels(c, file, classes.length) : words(c, file)],
    inputs: { positions: { rule: 'positions' }, types: { rule: 'types' } },
    names: names(prefix),
  });
};

export const bert: Family = {
  name: 'bert',
  architectures: ['BertForMaskedLM', 'BertForSequenceClassification', 'BertForPreTraining'],
  activationField,
  ignoredTensors:
    /(^|\.)(embeddings\.position_ids|pooler\.dense\.(weight|bias))$|^cls\.(seq_relationship\.|predictions\.(decoder\.(weight|bias)|bias)$)/,
  build,
};
