import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../base/index.js';
import { generationRules, suppressedAt, suppressionOf } from './generation-rules.js';
import type { OpenModel } from './open-model.js';

/** What the rules read of a model. */
const model = (config: JsonObject, generationConfig?: JsonObject): OpenModel =>
  ({
    program: { config, facts: { vocab: 50 } },
    folder: { config, ...(generationConfig ? { generationConfig } : {}) },
    tokenizer: undefined,
  }) as unknown as OpenModel;

const suppressedIds = (m: OpenModel, step: number, length = 1): number[] =>
  [...suppressedAt(generationRules(m, length), step).keys()].sort((a, b) => a - b);

describe('what a model forces', () => {
  it('is forced_bos_token_id, in place of the first token after the start', () => {
    const { forced, notes } = generationRules(model({ forced_bos_token_id: 7 }), 1);
    expect([...forced]).toEqual([[0, 7]]);
    expect(notes).toEqual(['the first new token is [7]: forced_bos_token_id of config.json']);
  });

  it('is nothing where the decoder begins with more than the start token', () => {
    expect(generationRules(model({ forced_bos_token_id: 7 }), 2)).toMatchObject({ forced: new Map(), notes: [] });
  });

  it('stands in generation_config.json alone, where there is one', () => {
    const config = { forced_bos_token_id: 7 };
    expect([...generationRules(model(config, { forced_bos_token_id: 8 }), 1).forced]).toEqual([[0, 8]]);
    expect([...generationRules(model(config, {}), 1).forced]).toEqual([]);
  });

  it('in the oldest configs is bos_token_id, by another field', () => {
    const fields = { force_bos_token_to_be_generated: true, bos_token_id: 3 };
    expect([...generationRules(model(fields), 1).forced]).toEqual([[0, 3]]);
    expect([...generationRules(model({ ...fields, forced_bos_token_id: 4 }), 1).forced]).toEqual([[0, 4]]);
  });
});

describe('what a model suppresses', () => {
  it('is suppress_tokens and bad_words_ids of one token, but never an end token of the latter', () => {
    const m = model({ eos_token_id: 2, bad_words_ids: [[9], [2], [4, 5]], suppress_tokens: [1, 2] });
    expect(suppressedIds(m, 0)).toEqual([1, 2, 9]);
    expect(suppressedIds(m, 5)).toEqual([1, 2, 9]);
  });

  it('is begin_suppress_tokens in the first step; in the second where the first is forced', () => {
    const fields = { begin_suppress_tokens: [6] };
    expect([0, 1].map((step) => suppressedIds(model(fields), step))).toEqual([[6], []]);
    const forcing = model({ ...fields, forced_bos_token_id: 7 });
    expect([0, 1, 2].map((step) => suppressedIds(forcing, step))).toEqual([[], [6], []]);
    expect([0, 1].map((step) => suppressedIds(forcing, step, 3))).toEqual([[6], []]);
  });

  it('leaves out what is no id of the vocabulary', () => {
    const m = model({ suppress_tokens: [50, -1, 1.5, 'x', 49], bad_words_ids: 'none', begin_suppress_tokens: null });
    expect(suppressedIds(m, 0)).toEqual([49]);
  });

  it('is told where the model would have taken it', () => {
    const rules = generationRules(model({}, { suppress_tokens: [1] }), 1);
    expect(suppressionOf(rules, 0, Float32Array.of(0, 5, 1))).toEqual({
      id: 1,
      reason: 'suppress_tokens of generation_config.json',
    });
    expect(suppressionOf(rules, 0, Float32Array.of(9, 5, 1))).toBeUndefined();
  });
});

it('tells what is asked for and not done', () => {
  const asked = { num_beams: 4, no_repeat_ngram_size: 3, min_length: 0, bad_words_ids: [[1, 2]] };
  expect(generationRules(model(asked), 1).notes).toEqual([
    'config.json asks for num_beams 4, no_repeat_ngram_size 3, bad_words_ids of several tokens, which is not done: one sequence is made, token by token',
  ]);
  expect(generationRules(model({ num_beams: 1, no_repeat_ngram_size: 0 }), 1).notes).toEqual([]);
});
