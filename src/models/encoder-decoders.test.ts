import { describe, expect, it } from 'vitest';
import { DebuggerError, type JsonObject } from '../base/index.js';
import type { Program } from '../graph/index.js';
import { makeProgram } from './families.js';

const t5 = { model_type: 't5', vocab_size: 11, d_model: 8, d_kv: 3, d_ff: 12, num_layers: 2, num_heads: 2 };
const stacks = {
  ...{ vocab_size: 11, d_model: 8, encoder_layers: 1, decoder_layers: 2, encoder_ffn_dim: 12, decoder_ffn_dim: 10 },
  ...{ encoder_attention_heads: 4, decoder_attention_heads: 2, max_position_embeddings: 6, decoder_start_token_id: 2 },
};
const bart = { model_type: 'bart', ...stacks };
const marian = { model_type: 'marian', ...stacks };

const build = (config: JsonObject, files: readonly string[] = []): Program =>
  makeProgram(config, (name) => files.includes(name));
const weightsOf = (config: JsonObject, files?: readonly string[]): ReadonlySet<string> =>
  new Set(build(config, files).segments.flatMap((s) => s.graph.params.map((p) => p.name)));
const sitesOf = (config: JsonObject): ReadonlySet<string> =>
  new Set(build(config).segments.flatMap((s) => s.graph.sites.map((t) => t.name)));
const nodesIn = (config: JsonObject, id: string, op: string): number =>
  build(config)
    .segments.find((s) => s.id === id)
    ?.graph.nodes.filter((n) => n.op === op).length ?? -1;
const codeOf = (config: JsonObject): string => {
  try {
    build(config);
    return 'none';
  } catch (error) {
    return error instanceof DebuggerError ? `${error.info.code}: ${error.message}` : String(error);
  }
};

describe('T5', () => {
  it('has one table of distances a stack, umT5 one a block', () => {
    const tables = (type: string): string[] =>
      [...weightsOf({ ...t5, model_type: type })].filter((n) => n.includes('relative_attention_bias'));
    const at = (stack: string, block: number) =>
      `${stack}.block.${block}.layer.0.SelfAttention.relative_attention_bias.weight`;
    expect(tables('t5')).toEqual([at('encoder', 0), at('decoder', 0)]);
    expect(tables('umt5')).toEqual([at('encoder', 0), at('encoder', 1), at('decoder', 0), at('decoder', 1)]);
  });

  it('finds its table under any of its names', () => {
    expect(build(t5).facts).toMatchObject({ embedding: 'shared.weight', unembedding: 'shared.weight' });
    const other = 'decoder.embed_tokens.weight';
    expect(build(t5, [other]).facts).toMatchObject({ embedding: other, unembedding: other });
    const untied = { ...t5, tie_word_embeddings: false };
    expect(build(untied, [other]).facts).toMatchObject({ embedding: other, unembedding: 'lm_head.weight' });
  });

  it('scales what a tied head reads; transformers 5 says so in a field of its own', () => {
    const scaled = nodesIn(t5, 'head', 'Mul');
    expect(nodesIn({ ...t5, tie_word_embeddings: false }, 'head', 'Mul')).toBe(scaled - 1);
    const five = { ...t5, tie_word_embeddings: true, scale_decoder_outputs: false };
    expect(nodesIn(five, 'head', 'Mul')).toBe(scaled - 1);
    expect(build(five, ['lm_head.weight', 'shared.weight']).facts.unembedding).toBe('lm_head.weight');
    expect(build(five, ['shared.weight']).facts.unembedding).toBe('shared.weight');
  });

  it('reads its activation: gated or not, tanh GELU where it is gated-gelu, or as the second fields say', () => {
    const gelu = (fields: JsonObject): unknown =>
      build({ ...t5, ...fields })
        .segments.find((s) => s.id === 'encoder.blocks.0')
        ?.graph.nodes.find((n) => n.op === 'Gelu')?.attrs;
    expect(gelu({ feed_forward_proj: 'gated-gelu' })).toEqual({ approximate: 'tanh' });
    expect(gelu({ feed_forward_proj: 'gelu' })).toEqual({ approximate: 'none' });
    expect(gelu({ feed_forward_proj: 'gated-gelu', dense_act_fn: 'gelu' })).toEqual({ approximate: 'none' });
    expect(gelu({})).toBeUndefined();
    expect(sitesOf({ ...t5, is_gated_act: true })).toContain('decoder.blocks.1.mlp.pre_linear');
    expect(sitesOf(t5)).not.toContain('decoder.blocks.1.mlp.pre_linear');
  });

  it('reads sequences of any length, and begins with the padding', () => {
    const { facts } = build({ ...t5, pad_token_id: 4, num_decoder_layers: 3, n_positions: 512 });
    expect(facts).toMatchObject({ layers: 3, encoder: { layers: 2, start: 4, vocab: 11 } });
    expect([facts.maxPositions, facts.encoder?.maxPositions]).toEqual([undefined, undefined]);
  });

  it.each([
    [{ feed_forward_proj: 'gated-gelu-x' }, 'CONFIG_FIELD_UNSUPPORTED: config.json: feed_forward_proj'],
    [{ feed_forward_proj: 'gated-mish' }, 'CONFIG_FIELD_UNSUPPORTED: config.json: feed_forward_proj'],
    [{ dense_act_fn: 'mish' }, 'CONFIG_FIELD_UNSUPPORTED: config.json: dense_act_fn'],
    [{ is_encoder_decoder: false }, 'CONFIG_INVALID: config.json: is_encoder_decoder'],
    [{ decoder_start_token_id: 11 }, 'CONFIG_INVALID: config.json: decoder_start_token_id'],
    [{ relative_attention_num_buckets: 2 }, 'CONFIG_INVALID: config.json: relative_attention_num_buckets'],
    [{ relative_attention_max_distance: 16 }, 'CONFIG_INVALID: config.json: relative_attention_max_distance'],
    [{ num_layers: 0 }, 'CONFIG_INVALID: config.json: num_layers'],
    [{ new_field: 1 }, 'CONFIG_FIELD_UNSUPPORTED: config.json: new_field'],
    [{ architectures: ['T5EncoderModel'] }, 'FAMILY_UNKNOWN'],
  ])('refuses %j', (fields, told) => {
    expect(codeOf({ ...t5, ...fields })).toContain(told);
  });
});

describe('BART', () => {
  it('has heads and widths by stack', () => {
    const { facts } = build(bart);
    expect(facts).toMatchObject({
      layers: 2,
      heads: 2,
      maxPositions: 6,
      encoder: { layers: 1, maxPositions: 6, start: 2 },
    });
    expect(sitesOf(bart)).toContain('decoder.blocks.1.resid_cross_raw');
  });

  it('is without a prefix where the file has none', () => {
    const bare = weightsOf(bart, ['encoder.layers.0.fc1.weight']);
    expect([...bare].filter((n) => n.startsWith('model.'))).toEqual([]);
    expect(bare).toContain('shared.weight');
  });

  it('has three tables where they are not tied', () => {
    const files = ['model.encoder.embed_tokens.weight', 'model.decoder.embed_tokens.weight'];
    expect(weightsOf({ ...bart, tie_word_embeddings: false }, files)).toEqual(
      new Set([...weightsOf(bart)].filter((n) => n !== 'model.shared.weight').concat(files, 'lm_head.weight')),
    );
  });

  it('adds a number to each score where the file has them', () => {
    expect(weightsOf(bart)).not.toContain('final_logits_bias');
    expect(weightsOf(bart, ['final_logits_bias'])).toContain('final_logits_bias');
  });

  it.each([
    [{ normalize_before: true }, 'normalize_before'],
    [{ normalize_embedding: false }, 'normalize_embedding'],
    [{ static_position_embeddings: true }, 'static_position_embeddings'],
    [{ extra_pos_embeddings: 0 }, 'extra_pos_embeddings'],
    [{ add_final_layer_norm: true }, 'add_final_layer_norm'],
    [{ encoder_attention_heads: 3 }, 'encoder_attention_heads'],
    [{ activation_function: 'mish' }, 'activation_function'],
    [{ decoder_start_token_id: 11 }, 'decoder_start_token_id'],
    [{ is_encoder_decoder: false }, 'is_encoder_decoder'],
  ])('refuses %j', (fields, field) => {
    expect(codeOf({ ...bart, ...fields })).toMatch(new RegExp(`^CONFIG_(INVALID|FIELD_UNSUPPORTED): .*${field}`));
  });

  it('as mBART norms before, and at the end of each stack', () => {
    const sites = sitesOf({ ...bart, model_type: 'mbart', normalize_before: true, add_final_layer_norm: true });
    expect(sites).toContain('encoder.ln_final.normalized');
    expect(sites).not.toContain('decoder.blocks.0.resid_mid_raw');
    expect(codeOf({ ...bart, model_type: 'mbart', normalize_before: false })).toContain('CONFIG_FIELD_UNSUPPORTED');
  });
});

describe('Marian', () => {
  it('may have a vocabulary for each side', () => {
    const apart = { ...marian, share_encoder_decoder_embeddings: false, decoder_vocab_size: 7 };
    const { facts, segments } = build(apart);
    expect(facts).toMatchObject({ vocab: 7, encoder: { vocab: 11 }, unembedding: 'model.decoder.embed_tokens.weight' });
    const table = segments.flatMap((s) => s.graph.params).find((p) => p.name === 'model.encoder.embed_tokens.weight');
    expect(table?.type.shape).toEqual([11, 8]);
    expect(build(marian).facts).toMatchObject({ vocab: 11, unembedding: 'model.shared.weight' });
  });

  it('reads no table of positions', () => {
    expect([...weightsOf(marian)].filter((n) => n.includes('embed_positions'))).toEqual([]);
  });
});
