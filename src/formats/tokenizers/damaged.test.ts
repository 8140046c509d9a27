import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from '../../../test/support/root.js';
import { ModelError } from '../../base/index.js';
import { openTokenizer } from '../index.node.js';

const vocabularies = path.join(root, 'test/golden/tokenizers/vocabularies');
const scratch = mkdtempSync(path.join(tmpdir(), 'cutaway-damaged-'));
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

let made = 0;
const damaged = (name: string, file: string, change: (bytes: Uint8Array) => Uint8Array | string): string => {
  const folder = path.join(scratch, String(made++));
  cpSync(path.join(vocabularies, name), folder, { recursive: true });
  writeFileSync(path.join(folder, file), change(readFileSync(path.join(folder, file))));
  return folder;
};
const invalid = { info: { code: 'TOKENIZER_INVALID' } };

/** A field of a protocol buffer that holds bytes. */
const field = (number: number, content: readonly number[]): readonly number[] => [
  (number << 3) | 2,
  content.length, // below 128
  ...content,
];
const pieceOf = (text: string, type: number): readonly number[] =>
  field(1, [...field(1, [...new TextEncoder().encode(text)]), 0x18, type]);

describe('refused, with what is wrong', () => {
  it.each([
    ['a line of merges that is no pair', 'gpt2', 'merges.txt', '#version: 0.2\na b c\n', 'line 2 of its merges'],
    ['merges of pieces that are not there', 'gpt2', 'merges.txt', 'zzz yyy\n', ''],
    ['a vocabulary that is no table of ids', 'gpt2', 'vocab.json', '{"a": "b"}', 'the id of "a"'],
    ['a vocabulary with a negative id', 'gpt2', 'vocab.json', '{"a": -1}', 'the id of "a"'],
    ['a vocabulary that is no JSON', 'gpt2', 'vocab.json', '{', 'is not JSON'],
    ['an added token without an id', 'phi', 'added_tokens.json', '{"x": null}', 'the added token x'],
    ['words without one for what is unknown', 'bert-cased', 'vocab.txt', 'a\nb\n', 'it has no [UNK]'],
    ['extra ids without end', 't5-extra', 'tokenizer_config.json', '{"extra_ids": 1e9}', 'extra_ids'],
    ['translation without <unk>', 'marian', 'vocab.json', '{"a": 0}', 'no <unk>'],
    ['a model that is text', 'unigram-bytes', 'own.model', 'IQ== 0\nIg== 1\n', 'no SentencePiece model'],
    ['an empty model', 'unigram-bytes', 'own.model', '', 'no pieces'],
  ])('%s', async (_, name, file, content, told) => {
    const folder = damaged(name, file, () => content);
    await expect(openTokenizer(folder)).rejects.toMatchObject({
      ...invalid,
      message: expect.stringContaining(told) as string,
    });
  });

  it.each([
    ['a piece that stands twice', [...pieceOf('a', 1), ...pieceOf('a', 1)], 'twice'],
    ['no piece for what is unknown', pieceOf('a', 1), 'unknown'],
    ['a piece of no known type', pieceOf('a', 9), 'empty or damaged'],
    ['an empty piece', pieceOf('', 1), 'empty or damaged'],
    ['a model of words', [...pieceOf('u', 2), ...field(2, [0x18, 3])], 'of words or of characters'],
    ['spaces behind words', [...pieceOf('u', 2), ...field(2, [0xc0, 0x01, 1])], 'not supported'],
    ['spaces as they are', [...pieceOf('u', 2), ...field(3, [0x28, 0])], 'not supported'],
    ['a damaged table', [...pieceOf('u', 2), ...field(3, field(2, [1, 2, 3]))], 'precompiled_charsmap'],
    ['a field of another type', [0x08, 1], 'another type'],
  ])('%s', async (_, bytes, told) => {
    const folder = damaged('unigram-bytes', 'own.model', () => Uint8Array.from(bytes));
    await expect(openTokenizer(folder)).rejects.toMatchObject({
      ...invalid,
      message: expect.stringContaining(told) as string,
    });
  });

  it('a vocabulary without its merges, or with no vocabulary at all', async () => {
    const folder = damaged('gpt2', 'vocab.json', (bytes) => bytes);
    rmSync(path.join(folder, 'merges.txt'));
    await expect(openTokenizer(path.join(folder, 'vocab.json'))).rejects.toMatchObject(invalid);
    await expect(openTokenizer(folder)).rejects.toMatchObject({ info: { code: 'TOKENIZER_MISSING' } });
  });

  it('one that is too large, before memory is taken', async () => {
    const folder = damaged('unigram-bytes', 'own.model', (bytes) => bytes);
    truncateSync(path.join(folder, 'own.model'), 64_000_001);
    await expect(openTokenizer(folder)).rejects.toMatchObject({ info: { code: 'FILE_UNREADABLE' } });
  });
});

describe('damage at random is refused or does no harm', () => {
  const files = [
    ['gpt2', 'vocab.json'],
    ['gpt2', 'merges.txt'],
    ['bert-cased', 'vocab.txt'],
    ['phi', 'added_tokens.json'],
    ['qwen2', 'tokenizer_config.json'],
    ['roberta', 'special_tokens_map.json'],
    ['t5', 'spiece.model'],
    ['llama', 'tokenizer.model'],
    ['bpe-rules', 'own.model'],
    ['unigram-bytes', 'own.model'],
    ['marian', 'source.spm'],
  ] as const;
  /** Bytes overwritten at places (as parts of the length), and the end cut off. */
  const damage = fc.record({
    bytes: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255)), { minLength: 1, maxLength: 8 }),
    keep: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
  });

  it.each(files)('%s/%s', async (name, file) => {
    await fc.assert(
      fc.asyncProperty(damage, async ({ bytes, keep }) => {
        const folder = damaged(name, file, (whole) => {
          const changed = Uint8Array.from(whole.subarray(0, Math.ceil(whole.length * keep)));
          for (const [at, byte] of bytes) changed[Math.min(changed.length - 1, Math.floor(at * changed.length))] = byte;
          return changed;
        });
        try {
          const tokenizer = await openTokenizer(folder);
          await tokenizer.encode('The cat, naïve\t日本 </s>😀\u0301', { special: true });
          await tokenizer.encode('<s>', { special: false });
        } catch (error) {
          expect(error).toBeInstanceOf(ModelError);
          expect(error).toMatchObject(invalid);
        } finally {
          rmSync(folder, { recursive: true });
        }
      }),
      { numRuns: 40 },
    );
  });
});
