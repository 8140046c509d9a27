import { describe, expect, it } from 'vitest';
import { ggufBytes, type GgufField, type GgufParts } from '../../../test/support/gguf-bytes.js';
import { memorySource, readGguf } from './index.js';
import { toHuggingFace } from './model.js';

type Fields = Readonly<Record<string, GgufField>>;

const base: Fields = {
  'general.architecture': ['text', 'llama'],
  'llama.block_count': ['u32', 1],
  'llama.context_length': ['u32', 64],
  'llama.embedding_length': ['u32', 8],
  'llama.feed_forward_length': ['u32', 16],
  'llama.attention.head_count': ['u32', 2],
  'llama.attention.layer_norm_rms_epsilon': ['f32', 1e-6],
};
const embedding = { name: 'token_embd.weight', dims: [8, 10], type: 0, offset: 0 };

const open = async (fields: Readonly<Record<string, GgufField | undefined>>, parts: GgufParts = {}) => {
  const metadata = Object.entries({ ...base, ...fields }).flatMap(([key, value]) =>
    value ? [[key, value] as const] : [],
  );
  const source = memorySource('x.gguf', ggufBytes({ metadata, tensors: [embedding], dataBytes: 2048, ...parts }));
  return toHuggingFace(source, await readGguf(source));
};
const configOf = async (fields: Fields) => (await open(fields)).config;
const refused = async (act: Promise<unknown>, code: string, why: string): Promise<void> => {
  await expect(act).rejects.toMatchObject({ info: { code }, blame: 'model' });
  await expect(act).rejects.toThrow(why);
};

describe('the config of a GGUF file', () => {
  it('has Hugging Face’s words, and short decimals', async () => {
    expect(await configOf({})).toMatchObject({
      model_type: 'llama',
      ...{ hidden_size: 8, num_attention_heads: 2, num_key_value_heads: 2, head_dim: 4, vocab_size: 10 },
      ...{ rms_norm_eps: 1e-6, rope_theta: 10000, rope_scaling: null, tie_word_embeddings: true },
    });
  });

  it('takes a list that says the same for every layer', async () => {
    const heads: GgufField = ['array', [['u32', 1], ['u32', 1]]]; // prettier-ignore
    expect(await configOf({ 'llama.attention.head_count_kv': heads })).toMatchObject({ num_key_value_heads: 1 });
    const mixed: GgufField = ['array', [['u32', 1], ['u32', 2]]]; // prettier-ignore
    await refused(configOf({ 'llama.attention.head_count_kv': mixed }), 'CONFIG_INVALID', 'a list of 2');
  });

  it('names the tokens that begin and end a text, where they are in the vocabulary', async () => {
    expect(
      await configOf({
        'tokenizer.ggml.bos_token_id': ['u32', 0xffffffff],
        'tokenizer.ggml.eos_token_id': ['u32', 2],
        'tokenizer.ggml.eot_token_id': ['u32', 5],
        'tokenizer.ggml.eom_token_id': ['u32', 2],
      }),
    ).toMatchObject({ eos_token_id: [2, 5] });
    expect(await configOf({ 'tokenizer.ggml.bos_token_id': ['u32', 10] })).not.toHaveProperty('bos_token_id');
  });

  it.each<readonly [string, Fields, object | null]>([
    [
      'a factor without a type is linear',
      { 'llama.rope.scaling.factor': ['f32', 4] },
      { rope_type: 'linear', factor: 4 },
    ],
    ['the old key is linear', { 'llama.rope.scale_linear': ['f32', 2] }, { rope_type: 'linear', factor: 2 }],
    ['type none', { 'llama.rope.scaling.type': ['text', 'none'], 'llama.rope.scaling.factor': ['f32', 4] }, null],
    [
      'YaRN, whose own factor is multiplied',
      {
        'llama.rope.scaling.type': ['text', 'yarn'],
        'llama.rope.scaling.factor': ['f32', 4],
        'llama.rope.scaling.attn_factor': ['f32', 2],
        'llama.rope.scaling.original_context_length': ['u32', 16],
      },
      {
        ...{ rope_type: 'yarn', factor: 4, original_max_position_embeddings: 16, beta_fast: 32, beta_slow: 1 },
        attention_factor: 2 * (0.1 * Math.log(4) + 1),
      },
    ],
  ])('stretches rotary frequencies: %s', async (_, fields, expected) => {
    expect((await configOf(fields))['rope_scaling']).toEqual(expected);
  });

  it('of Gemma 2 scales the scores of the 27B model by its width', async () => {
    const gemma = (layers: number) =>
      configOf({
        ...Object.fromEntries(Object.entries(base).map(([key, value]) => [key.replace('llama', 'gemma2'), value])),
        'general.architecture': ['text', 'gemma2'],
        'gemma2.block_count': ['u32', layers],
        'gemma2.attention.key_length': ['u32', 16],
      });
    expect(await gemma(42)).toMatchObject({
      query_pre_attn_scalar: 16,
      sliding_window: 4096,
      final_logit_softcapping: 30,
    });
    expect(await gemma(46)).toMatchObject({ query_pre_attn_scalar: 4 });
  });

  it('refuses what would change the computation and is not computed', async () => {
    const unsupported = (fields: Fields, why: string) => refused(open(fields), 'CONFIG_FIELD_UNSUPPORTED', why);
    await unsupported({ 'llama.expert_count': ['u32', 8] }, 'llama.expert_count = 8');
    await unsupported({ 'llama.attention.causal': ['bool', false] }, 'is not true');
    await unsupported({ 'llama.attention.scale': ['f32', 2] }, 'a key that this version does not know');
    await unsupported({ 'llama.rope.dimension_count': ['u32', 2] }, 'is not 4');
    await unsupported({ 'llama.attention.value_length': ['u32', 2] }, 'is not 4');
    const other: Fields = { 'llama.rope.scaling.type': ['text', 'ntk'], 'llama.rope.scaling.factor': ['f32', 2] };
    await unsupported(other, 'a kind of scaling');
    expect(await open({ 'llama.expert_count': ['u32', 0], 'llama.attention.causal': ['bool', true] })).toBeDefined();
  });

  it('refuses values that are missing or of another kind', async () => {
    await refused(open({ 'llama.block_count': undefined }), 'CONFIG_FIELD_MISSING', 'has no llama.block_count');
    await refused(open({ 'llama.block_count': ['text', 'x'] }), 'CONFIG_INVALID', 'llama.block_count = "x"');
    await refused(open({ 'llama.embedding_length': ['u32', 0] }), 'CONFIG_INVALID', 'no whole number');
    await refused(open({ 'llama.rope.freq_base': ['f32', Infinity] }), 'CONFIG_INVALID', 'is no number');
  });
});

describe('a GGUF file that is no model', () => {
  it('is refused where the architecture is not known', async () => {
    await refused(open({ 'general.architecture': ['text', 'rwkv7'] }), 'FAMILY_UNKNOWN', '"rwkv7"');
    await refused(open({ 'general.architecture': undefined }), 'FAMILY_UNKNOWN', 'no general.architecture');
  });

  it('is refused where it is a vocabulary alone, or a part', async () => {
    await refused(open({}, { tensors: [] }), 'TENSOR_MISSING', 'a vocabulary alone');
    await refused(open({ 'split.count': ['u32', 3] }), 'TENSOR_MISSING', 'one of 3 parts');
    await refused(open({}, { tensors: [{ ...embedding, name: 'x' }] }), 'TENSOR_MISSING', 'token_embd.weight');
  });

  it('is refused where a tensor is quantised in a way that is not read, by its name', async () => {
    const iq4 = { name: 'blk.0.attn_v.weight', dims: [32, 4], type: 20, offset: 320 };
    await refused(open({}, { tensors: [embedding, iq4] }), 'TENSOR_DTYPE', 'quantised as IQ4_NL');
  });

  it('is refused where its heads do not fit its rows', async () => {
    const odd = { name: 'blk.0.attn_q.weight', dims: [8, 6], type: 0, offset: 320 };
    await refused(open({}, { tensors: [embedding, odd] }), 'TENSOR_SHAPE', '6 rows for 2 heads');
  });
});

it('tensors that the architecture does not have keep their names, and take no other’s', async () => {
  const { tensors } = await open(
    {},
    {
      tensors: [
        embedding,
        { name: 'blk.0.extra.weight', dims: [8], type: 0, offset: 320 },
        { name: 'model.embed_tokens.weight', dims: [8], type: 0, offset: 352 },
      ],
    },
  );
  expect(tensors.map((t) => [t.name, t.stored.shape])).toEqual([
    ['model.embed_tokens.weight', [10, 8]],
    ['blk.0.extra.weight', [8]],
  ]);
});
