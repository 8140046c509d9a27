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
import { ConfigReader } from '../config/config-reader.js';
import { tokenTables, type TokenTables } from '../layouts/decoder.js';
import { encoderProgram } from '../layouts/encoder.js';
import { encoderOutput, labelHead, savedBias, wordHead } from '../parts/encoder-heads.js';
import type { Family, HasTensor } from '../family.js';
import { labelsOf } from '../config/labels.js';
import { headSegment } from '../parts/segments.js';

/** Liu et al. 2019, "RoBERTa": BERT's blocks, positions that count from the padding id; `RobertaForMaskedLM`. */
interface RobertaConfig extends BertConfig {
  readonly pad: number;
}

const parseConfig = (json: JsonObject): RobertaConfig => {
  const c = new ConfigReader(json);
  const pad = c.integer('pad_token_id', 1, 0);
  const parsed = { ...parseBertConfig(json), pad };
  c.require(parsed.positions > pad + 1, 'max_position_embeddings', `more than pad_token_id + 1 (${pad + 1})`);
  return parsed;
};

/** The head that scores words; erf GELU, whatever the blocks have. */
const words = (c: RobertaConfig, { tables, has }: { tables: TokenTables; has: HasTensor }): Segment =>
  headSegment(c.modelDim, { weights: 'lm_head.' }, (s, x) =>
    wordHead(s, x, {
      ...c,
      dense: 'dense',
      act: activation(activationField, 'gelu'),
      norm: (at, y) => bertNorm({ ...at, weights: `${at.weights}layer_norm.` }, y, { eps: c.eps, has }),
      tables,
      bias: savedBias(has, 'lm_head.bias', 'lm_head.decoder.bias'),
    }),
  );

const labels = (c: RobertaConfig, count: number): Segment =>
  headSegment(c.modelDim, { weights: 'classifier.' }, (s, x) =>
    labelHead(s, x, { modelDim: c.modelDim, labels: count, dense: 'dense', out: 'out_proj' }),
  );

const names = (prefix: string) => {
  const { outside, ...rest } = bertNames(prefix);
  return {
    ...rest,
    outside: {
      ...outside,
      'lm_head.dense': 'head.pre',
      'lm_head.layer_norm': 'head.ln.normalized',
      'lm_head.decoder': 'logits',
      lm_head: 'logits',
      'classifier.dense': 'head.pre',
      'classifier.out_proj': 'logits',
      classifier: 'logits',
    },
  };
};

const build =
  (family: string) =>
  (json: JsonObject, has: HasTensor): Program => {
    const c = parseConfig(json);
    const prefix = has('embeddings.word_embeddings.weight') ? '' : 'roberta.';
    const classes = encoderOutput(json, has('classifier.dense.weight')) === 'labels' ? labelsOf(json) : undefined;
    const embedding = `${prefix}embeddings.word_embeddings.weight`;
    const own = { embedding, unembedding: 'lm_head.decoder.weight' };
    const tables = classes ? { embedding, unembedding: embedding } : tokenTables(has, own, c.tiedHead);
    const encoder = bertSegments(c, { prefix, embedding: tables.embedding, has });
    return encoderProgram({
      ...{ family, config: json, tables, labels: classes },
      sizes: { ...c, maxPositions: c.positions - c.pad - 1 },
      segments: [...encoder, classes ? labels(c, classes.length) : words(c, { tables, has })],
      // a padding id stands at its own row and is not counted
      inputs: { positions: { rule: 'positions', offset: c.pad + 1, skipping: c.pad }, types: { rule: 'types' } },
      names: names(prefix),
    });
  };

/** A family with RoBERTa's computation under another name. */
const robertaLike = (name: string, model: string): Family => ({
  name,
  architectures: [`${model}ForMaskedLM`, `${model}ForSequenceClassification`],
  activationField,
  ignoredTensors:
    /(^|\.)(embeddings\.position_ids|pooler\.dense\.(weight|bias))$|^lm_head\.(decoder\.(weight|bias)|bias)$/,
  build: build(name),
});

export const roberta = robertaLike('roberta', 'Roberta');
/** Conneau et al. 2020, of a hundred languages. */
export const xlmRoberta = robertaLike('xlm-roberta', 'XLMRoberta');
/** Martin et al. 2020, of French. */
export const camembert = robertaLike('camembert', 'Camembert');
