import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModelError } from '../../../base/index.js';
import { openTokenizerJson } from '../../index.node.js';
import type { GgufMetadata, GgufValue } from '../gguf.js';
import { ggufTokenizerJson } from './index.js';

type Fields = Readonly<Record<string, GgufValue | undefined>>;

const metadataOf = (fields: Fields): GgufMetadata =>
  new Map(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[`tokenizer.ggml.${name}`, value]])),
  );
/** The error that a vocabulary gives. */
const faultOf = (fields: Fields): ModelError => {
  try {
    ggufTokenizerJson(metadataOf(fields));
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('it was read');
};
const message = (fields: Fields): string => {
  const fault = faultOf(fields);
  expect(fault.info.code).toBe('TOKENIZER_INVALID');
  return fault.message;
};

const letters = Array.from('abcdehlnorstu .');
const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
const bytePairs: Fields = {
  model: 'gpt2',
  pre: 'gpt-2',
  tokens: ['<|endoftext|>', ...letters, 'Ġ', 'th', 'the', 'Ġthe'],
  token_type: Int32Array.from([3, ...letters.map(() => 1), 1, 1, 1, 1]),
  merges: ['t h', 'th e', 'Ġ the'],
  bos_token_id: 0,
  eos_token_id: 0,
};
const sentencePieces: Fields = {
  model: 'llama',
  tokens: ['<unk>', '<s>', '</s>', ...bytes, '▁', ...letters, 'th', 'the', '▁the'],
  token_type: Int32Array.from([2, 3, 3, ...bytes.map(() => 6), 1, ...letters.map(() => 1), 1, 1, 1]),
  scores: Float32Array.from([0, 0, 0, ...bytes.map(() => 0), -9, ...letters.map(() => -8), -1, -2, -3]),
  bos_token_id: 1,
  eos_token_id: 2,
};
const unigram: Fields = {
  model: 't5',
  tokens: ['<pad>', '</s>', '<unk>', '▁', ...letters, 'th', '▁the'],
  token_type: Int32Array.from([3, 3, 2, 1, ...letters.map(() => 1), 1, 1]),
  scores: Float32Array.from([0, 0, 0, -3, ...letters.map(() => -4), -5, -2]),
  add_space_prefix: true,
  remove_extra_whitespaces: true,
};
const wordPieces: Fields = {
  model: 'bert',
  tokens: ['[UNK]', '[CLS]', '[SEP]', '▁th', 'e', '▁a', 'a', '▁.'],
  token_type: Int32Array.from([2, 3, 3, 1, 1, 1, 1, 1]),
  unknown_token_id: 0,
  cls_token_id: 1,
  seperator_token_id: 2,
};
const good = { bytePairs, sentencePieces, unigram, wordPieces };

const encode = async (fields: Fields, text: string): Promise<readonly string[]> => {
  const tokenizer = await openTokenizerJson(ggufTokenizerJson(metadataOf(fields)), 'damaged.gguf');
  return (await tokenizer.encode(text, { special: true })).map((token) => token.text);
};

describe('a sound vocabulary', () => {
  it.each([
    [bytePairs, ['the', ' the', '.']],
    [sentencePieces, ['<s>', ' the', ' the', '.']],
    [unigram, [' the', ' the', '.', '</s>']],
    [wordPieces, ['[CLS]', 'th', '##e', 'th', '##e', '.', '[SEP]']],
  ])('is read: %#', async (fields, pieces) => {
    expect(await encode(fields, 'the the.')).toEqual(pieces);
  });
});

describe('a vocabulary that cannot be used', () => {
  it.each<[string, Fields, RegExp]>([
    ['without tokens', { ...bytePairs, tokens: undefined }, /no tokens/],
    ['of no tokens', { ...bytePairs, tokens: [] }, /no tokens/],
    [
      'whose tokens are numbers',
      { ...bytePairs, tokens: Int32Array.from([1, 2]) },
      /tokens has an entry that is no text/,
    ],
    ['whose tokens are a text', { ...bytePairs, tokens: 'a' }, /tokens has the wrong type/],
    ['with a token twice', { ...bytePairs, tokens: ['a', 'b', 'a'] }, /tokens 0 and 2 are both "a"/],
    [
      'with too few types',
      { ...bytePairs, token_type: Int32Array.from([1]) },
      /20 tokens, but .*token_type has 1 entries/,
    ],
    ['with too few scores', { ...sentencePieces, scores: Float32Array.from([1]) }, /scores has 1 entries/],
    ['with a score that is no number', { ...unigram, scores: Float32Array.from([NaN]) }, /scores .* no finite number/],
    ['without scores', { ...sentencePieces, scores: undefined }, /no scores/],
    ['without merges', { ...bytePairs, merges: undefined }, /no merges/],
    ['with a merge of an unknown piece', { ...bytePairs, merges: ['t z'] }, /piece "z", which is no token/],
    ['with a merge into an unknown piece', { ...bytePairs, merges: ['t e'] }, /piece "te", which is no token/],
    ['with half a merge', { ...bytePairs, merges: ['t'] }, /piece "", which is no token/],
    ['of a kind that is a number', { ...bytePairs, model: 1 }, /model has the wrong type/],
    ['with a flag that is a number', { ...bytePairs, add_bos_token: 1 }, /add_bos_token has the wrong type/],
    ['with an id that is a text', { ...bytePairs, bos_token_id: '1' }, /bos_token_id has the wrong type/],
    ['without the token that begins prompts', { ...bytePairs, add_bos_token: true, bos_token_id: 2 ** 32 }, /BOS/],
    [
      'without an unknown token',
      { ...unigram, unknown_token_id: 99, tokens: ['a'], scores: [0], token_type: [1] },
      /unknown/,
    ],
    [
      'with a very long piece',
      { ...sentencePieces, tokens: [...bytes, 'a'.repeat(600)], scores: new Float32Array(257), token_type: undefined },
      /512/,
    ],
    [
      'with word pieces that become alike',
      { ...wordPieces, tokens: ['[UNK]', '▁##a', 'a'], token_type: [2, 1, 1] },
      /▁/,
    ],
  ])('%s', (_, fields, what) => {
    expect(message(fields)).toMatch(what);
  });

  it('of an unknown kind, with those that are known', () => {
    expect(message({ model: 'rwkv' })).toBe('vocabularies of kind "rwkv" are not supported');
    expect(message({ model: 'lama' })).toBe('vocabularies of kind "lama" are not known');
    expect(faultOf({ model: 'lama' }).info.hint).toMatch(/^Supported: llama, /);
  });

  it('with an unknown pre-tokenizer, with the nearest ones', () => {
    const fault = faultOf({ ...bytePairs, pre: 'qwen3' });
    expect(fault.message).toContain('"qwen3" is not known');
    expect(fault.info.hint).toContain('qwen2, qwen35');
  });

  it.each([{}, { model: 'none' }, { model: 'no_vocab' }])('that is none: %j', (fields) => {
    expect(faultOf(fields).info.code).toBe('TOKENIZER_MISSING');
  });
});

describe('damaged at random', () => {
  const value: fc.Arbitrary<GgufValue | undefined> = fc.oneof(
    fc.constant(undefined),
    fc.integer(),
    fc.bigInt(),
    fc.double(),
    fc.boolean(),
    fc.string({ unit: 'binary' }),
    fc.array(fc.string({ unit: 'binary', maxLength: 4 }), { maxLength: 30 }),
    fc.array(fc.constantFrom('', ' ', 'a', 'a b', 't h', '▁', '##', '[', '\ud800', '<0x41>'), { maxLength: 30 }),
    fc.array(fc.oneof(fc.integer(), fc.string(), fc.boolean()), { maxLength: 30 }),
    fc.uint8Array({ maxLength: 40 }),
    fc.int32Array({ min: -1, max: 7, minLength: 280, maxLength: 300 }),
    fc.float32Array({ minLength: 280, maxLength: 300 }),
    fc.bigUint64Array({ maxLength: 30 }),
  );
  const field = fc.constantFrom(
    ...['model', 'pre', 'tokens', 'scores', 'token_type', 'merges', 'precompiled_charsmap', 'bos_token_id'],
    ...['eos_token_id', 'unknown_token_id', 'seperator_token_id', 'cls_token_id', 'add_bos_token', 'add_eos_token'],
    ...['add_space_prefix', 'remove_extra_whitespaces', 'normalizer.lowercase'],
  );
  const damage = fc.dictionary(field, value, { minKeys: 1, maxKeys: 3 });

  it.each(Object.entries(good))('%s is read or refused', async (_, fields) => {
    await fc.assert(
      fc.asyncProperty(damage, fc.boolean(), async (changes, shorter) => {
        const tokens =
          shorter && Array.isArray(fields['tokens']) ? { tokens: (fields['tokens'] as string[]).slice(1) } : {};
        const outcome = await encode({ ...fields, ...tokens, ...changes }, 'the </s> a\n[CLS] z日').then(
          () => undefined,
          (error: unknown) => error,
        );
        if (outcome !== undefined) expect(outcome).toMatchObject({ blame: 'model' });
      }),
      { numRuns: 500 },
    );
  });
});
