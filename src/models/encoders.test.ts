import { describe, expect, it } from 'vitest';
import { DebuggerError, type JsonObject } from '../base/index.js';
import { typesOf, type Program } from '../graph/index.js';
import { makeProgram } from './families.js';

const sizes = { vocab_size: 11, hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 12 };
const bert: JsonObject = { model_type: 'bert', ...sizes };
const roberta: JsonObject = { model_type: 'roberta', ...sizes, max_position_embeddings: 20 };
const distilbert: JsonObject = { model_type: 'distilbert', vocab_size: 11, dim: 8, n_layers: 1, n_heads: 2 };

const program = (config: JsonObject, files: readonly string[] = []): Program =>
  makeProgram(config, (name) => files.includes(name));
const namesOf = (config: JsonObject, files?: readonly string[]): readonly string[] => [
  ...new Set(program(config, files).segments.flatMap((s) => s.graph.params.map((p) => p.name))),
];
const logitsOf = (config: JsonObject, files?: readonly string[]): string => {
  const graph = program(config, files).segments.at(-1)?.graph;
  const site = graph?.sites.find((s) => s.name === 'logits');
  return (graph && site && typesOf(graph).get(site.value)?.axes.join()) ?? '';
};
const codeOf = (config: JsonObject): string => {
  try {
    program(config);
    return 'none';
  } catch (error) {
    return error instanceof DebuggerError ? `${error.info.code}: ${error.message}` : String(error);
  }
};

describe('the head', () => {
  it.each([
    [bert, 'BertForMaskedLM', 'batch,position,vocab'],
    [bert, 'BertForPreTraining', 'batch,position,vocab'],
    [bert, 'BertForSequenceClassification', 'batch,label'],
    [roberta, 'RobertaForMaskedLM', 'batch,position,vocab'],
    [roberta, 'RobertaForSequenceClassification', 'batch,label'],
    [{ ...roberta, model_type: 'xlm-roberta' }, 'XLMRobertaForMaskedLM', 'batch,position,vocab'],
    [{ ...roberta, model_type: 'camembert' }, 'CamembertForSequenceClassification', 'batch,label'],
    [distilbert, 'DistilBertForMaskedLM', 'batch,position,vocab'],
    [distilbert, 'DistilBertForSequenceClassification', 'batch,label'],
  ])('of %o as %s scores %s', (config, architecture, axes) => {
    expect(logitsOf({ ...config, architectures: [architecture] })).toBe(axes);
  });

  it('is what the file has tensors for, where the config names none', () => {
    expect(logitsOf(bert)).toBe('batch,position,vocab');
    expect(logitsOf(bert, ['classifier.weight'])).toBe('batch,label');
    expect(logitsOf(roberta, ['classifier.dense.weight'])).toBe('batch,label');
    expect(logitsOf(distilbert, ['pre_classifier.weight'])).toBe('batch,label');
  });

  it.each(['BertForTokenClassification', 'BertForQuestionAnswering', 'BertModel', 'BertLMHeadModel'])(
    '%s is not computed',
    (architecture) => {
      expect(codeOf({ ...bert, architectures: [architecture] })).toContain('FAMILY_UNKNOWN');
    },
  );
});

describe('names of weights', () => {
  it('are those of today, without a file that says otherwise', () => {
    expect(namesOf(bert)).toContain('bert.encoder.layer.0.attention.output.LayerNorm.weight');
    expect(namesOf(bert)).toContain('cls.predictions.bias');
    expect(namesOf(roberta)).toContain('lm_head.layer_norm.weight');
    expect(namesOf(distilbert)).toContain('distilbert.transformer.layer.0.sa_layer_norm.bias');
  });

  it('are without a prefix where the file has none', () => {
    const names = namesOf(bert, ['embeddings.word_embeddings.weight']);
    expect(names.filter((n) => n.startsWith('bert.'))).toEqual([]);
    expect(names).toContain('encoder.layer.0.intermediate.dense.bias');
  });

  it('are gamma and beta, norm by norm, where the file has those', () => {
    const names = namesOf(bert, ['bert.embeddings.LayerNorm.gamma', 'cls.predictions.transform.LayerNorm.gamma']);
    expect(names).toContain('bert.embeddings.LayerNorm.beta');
    expect(names).toContain('cls.predictions.transform.LayerNorm.gamma');
    expect(names).toContain('bert.encoder.layer.0.output.LayerNorm.bias');
    expect(names).not.toContain('bert.embeddings.LayerNorm.weight');
  });

  it('of the bias of words are those of the one that was saved', () => {
    expect(namesOf(bert, ['cls.predictions.decoder.bias'])).toContain('cls.predictions.decoder.bias');
    const both = ['cls.predictions.decoder.bias', 'cls.predictions.bias'];
    expect(namesOf(bert, both)).not.toContain('cls.predictions.decoder.bias');
    expect(namesOf(roberta, ['lm_head.decoder.bias'])).toContain('lm_head.decoder.bias');
  });

  it('of the matrix of words are its own where it is not tied, or where it alone was saved', () => {
    const decoder = 'cls.predictions.decoder.weight';
    expect(namesOf(bert)).not.toContain(decoder);
    expect(namesOf({ ...bert, tie_word_embeddings: false })).toContain(decoder);
    expect(namesOf(bert, [decoder])).not.toContain('bert.embeddings.word_embeddings.weight');
    expect(namesOf({ ...distilbert, tie_word_embeddings: false })).toContain('vocab_projector.weight');
  });
});

describe('labels', () => {
  const labelsOf = (fields: JsonObject): readonly string[] | undefined =>
    program({ ...bert, architectures: ['BertForSequenceClassification'], ...fields }).facts.labels;

  it('are named by id2label, else counted by num_labels, else two', () => {
    expect(labelsOf({ id2label: { 1: 'yes', 0: 'no' } })).toEqual(['no', 'yes']);
    expect(labelsOf({ id2label: { 0: 0, 1: 1 } })).toEqual(['0', '1']);
    expect(labelsOf({ num_labels: 1 })).toEqual(['LABEL_0']);
    expect(labelsOf({ id2label: { 0: 'a', 1: 'b', 2: 'c' }, num_labels: 2 })).toEqual(['a', 'b', 'c']);
    expect(labelsOf({})).toEqual(['LABEL_0', 'LABEL_1']);
  });

  it('are not read for a head that has none', () => {
    expect(
      program({ ...bert, architectures: ['BertForMaskedLM'], id2label: { 7: 'odd' } }).facts.labels,
    ).toBeUndefined();
  });
});

describe('a config', () => {
  it.each([
    ['with relative positions', { ...bert, position_embedding_type: 'relative_key' }, 'CONFIG_FIELD_UNSUPPORTED'],
    ['of a decoder', { ...bert, is_decoder: true }, 'CONFIG_FIELD_UNSUPPORTED: config.json: is_decoder'],
    ['with cross-attention', { ...roberta, add_cross_attention: true }, 'CONFIG_FIELD_UNSUPPORTED'],
    ['with pruned heads', { ...bert, pruned_heads: { 0: [1] } }, 'CONFIG_FIELD_UNSUPPORTED'],
    ['with heads that do not divide', { ...bert, num_attention_heads: 3 }, 'CONFIG_INVALID'],
    ['with heads that do not divide', { ...distilbert, n_heads: 3 }, 'CONFIG_INVALID'],
    ['without room for a position', { ...roberta, max_position_embeddings: 2 }, 'CONFIG_INVALID'],
    ['with an unknown activation', { ...distilbert, activation: 'mish' }, 'CONFIG_FIELD_UNSUPPORTED'],
  ])('%s is refused: %o', (_, config, code) => {
    expect(codeOf(config)).toContain(code);
  });

  it.each([
    ['of multilingual BERT', { ...bert, directionality: 'bidi', pooler_type: 'first_token_transform' }],
    ['of DistilBERT as first uploaded', { ...distilbert, tie_weights_: true, sinusoidal_pos_embds: true }],
    ['of XLM-R as first uploaded', { ...roberta, model_type: 'xlm-roberta', output_past: true }],
    ['with a list of dropouts', { ...bert, hidden_dropout_prob: 0.3, attention_probs_dropout_prob: 0.3 }],
  ])('%s is read', (_, config) => {
    expect(codeOf(config)).toBe('none');
  });
});

describe('positions', () => {
  it('of RoBERTa begin behind the padding id, which is not counted', () => {
    const { inputs, facts } = program({ ...roberta, pad_token_id: 3 });
    expect(inputs['positions']).toEqual({ rule: 'positions', offset: 4, skipping: 3 });
    expect(facts.maxPositions).toBe(16);
    expect(program(bert).facts.maxPositions).toBe(512);
  });
});
