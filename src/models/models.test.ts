import { describe, expect, it } from 'vitest';
import { DebuggerError, type JsonObject } from '../base/index.js';
import { familyOf, makeProgram } from './families.js';

const gpt2 = { model_type: 'gpt2', vocab_size: 11, n_positions: 8, n_embd: 8, n_layer: 2, n_head: 2 };
const llama = {
  model_type: 'llama',
  vocab_size: 11,
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
};

const namesOf = (config: JsonObject, files: readonly string[] = []): string[] => [
  ...new Set(makeProgram(config, (n) => files.includes(n)).segments.flatMap((s) => s.graph.params.map((p) => p.name))),
];
const codeOf = (config: JsonObject): string => {
  try {
    makeProgram(config, () => false);
    return 'none';
  } catch (error) {
    return error instanceof DebuggerError ? `${error.info.code}: ${error.message}` : String(error);
  }
};

describe('names of weights', () => {
  it('are those of the language model', () => {
    expect(namesOf(gpt2)).toContain('transformer.h.1.attn.c_attn.weight');
    expect(namesOf(llama)).toContain('model.norm.weight');
  });

  it('are without a prefix where the file has none', () => {
    expect(namesOf(gpt2, ['wte.weight']).every((n) => !n.startsWith('transformer.'))).toBe(true);
    const bare = namesOf({ ...llama, tie_word_embeddings: true }, ['norm.weight']);
    expect(bare.filter((n) => n.startsWith('model.'))).toEqual([]);
    expect(bare).toContain('embed_tokens.weight');
  });

  it('of a tied embedding are those of the one that was saved', () => {
    expect(namesOf({ ...llama, tie_word_embeddings: true }, ['lm_head.weight'])).toContain('lm_head.weight');
    expect(namesOf({ ...llama, tie_word_embeddings: true })).not.toContain('lm_head.weight');
    expect(namesOf(llama)).toContain('lm_head.weight');
  });
});

describe('a config', () => {
  it.each([
    ['without a field', { ...gpt2, n_embd: null }, 'CONFIG_FIELD_MISSING: config.json has no n_embd'],
    ['of another type', { ...gpt2, model_type: 'rwkv' }, 'FAMILY_UNKNOWN: models of type "rwkv" are not supported'],
    [
      'of an architecture without our head',
      { ...gpt2, architectures: ['GPT2ForSequenceClassification'] },
      'FAMILY_UNKNOWN',
    ],
    [
      'with a field that changes the computation',
      { ...llama, sliding_window: 128 },
      'CONFIG_FIELD_UNSUPPORTED: config.json: sliding_window = 128',
    ],
    [
      'with an unknown activation',
      { ...llama, hidden_act: 'mish' },
      'CONFIG_FIELD_UNSUPPORTED: config.json: hidden_act = "mish"',
    ],
    [
      'with an unknown kind of scaling',
      { ...llama, rope_scaling: { type: 'spiral' } },
      'CONFIG_FIELD_UNSUPPORTED: config.json: rope_scaling = "spiral"',
    ],
    [
      'with heads that do not divide',
      { ...gpt2, n_head: 3 },
      'CONFIG_INVALID: config.json: n_head should be a divisor',
    ],
    [
      'with a text for a number',
      { ...gpt2, n_layer: 'two' },
      'CONFIG_INVALID: config.json: n_layer should be a whole number',
    ],
    [
      'that asks for cross-attention',
      { ...gpt2, add_cross_attention: true },
      'CONFIG_FIELD_UNSUPPORTED: config.json: add_cross_attention',
    ],
  ])('%s is an error that names it', (_, config, expected) => {
    expect(codeOf(config)).toContain(expected);
  });

  it.each([
    ['neutral', { ...llama, sliding_window: null, my_note: '', rope_scaling: null }],
    ['for training', { ...gpt2, attn_pdrop: 0.5, summary_type: 'mean', initializer_range: 3, n_ctx: 8 }],
    ['for generation', { ...gpt2, temperature: 2, eos_token_id: [1, 2] }],
  ])('with fields that are %s is read', (_, config) => {
    expect(codeOf(config)).toBe('none');
  });
});

describe('familyOf', () => {
  it('finds a family by model_type', () => {
    expect(familyOf(llama).name).toBe('llama');
  });
});
