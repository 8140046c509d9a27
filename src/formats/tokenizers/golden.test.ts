import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../../test/support/root.js';
import { sharedOrSkip } from '../../../test/support/shared.js';
import { openTokenizer } from '../index.node.js';
import type { Token, Tokenizer } from '../index.js';

interface Encoded {
  readonly ids: readonly number[];
  /** Null for a token that the template puts in. Left out where the reference has none. */
  readonly places?: readonly (readonly [number, number] | null)[];
}
interface Case {
  readonly text: string;
  readonly special?: Encoded;
  readonly plain: Encoded;
  readonly decoded?: string;
}
type Cases = Readonly<Record<string, readonly Case[]>>;

const folder = path.join(root, 'test/golden/tokenizers');
const golden = JSON.parse(readFileSync(path.join(folder, 'vocabularies.json'), 'utf8')) as Record<
  'tiny' | 'shared',
  Cases
>;

const casesOf = (all: Cases, name: string): readonly Case[] => {
  const cases = all[name];
  if (cases && cases.length > 40) return cases;
  throw new Error(`vocabularies.json has no cases of ${name}`);
};

const compare = (tokens: readonly Token[], expected: Encoded, text: string): void => {
  expect(
    tokens.map((t) => t.id),
    JSON.stringify(text),
  ).toEqual(expected.ids);
  if (!expected.places) return;
  const places = tokens.map((t, i) => (expected.places?.[i] === null ? null : [t.start, t.end]));
  expect(places, JSON.stringify(text)).toEqual(expected.places);
};

/** Places never go back, and stay in the text; a token's text is that of the vocabulary. */
const isSound = (tokens: readonly Token[], text: string, tokenizer: Tokenizer): void => {
  let before = 0;
  for (const token of tokens) {
    expect(token.start, JSON.stringify(text)).toBeGreaterThanOrEqual(before);
    expect(token.end).toBeGreaterThanOrEqual(token.start);
    expect(token.text).toBe(tokenizer.tokenText(token.id));
    before = token.start;
  }
  expect(tokens.at(-1)?.end ?? 0).toBeLessThanOrEqual(text.length);
};

const compareAll = async (tokenizer: Tokenizer, cases: readonly Case[]): Promise<void> => {
  for (const { text, special, plain, decoded } of cases) {
    const [whole, bare] = [
      await tokenizer.encode(text, { special: true }),
      await tokenizer.encode(text, { special: false }),
    ];
    if (special) compare(whole, special, text);
    compare(bare, plain, text);
    isSound(bare, text, tokenizer);
    if (decoded === undefined || !special) continue;
    expect(await tokenizer.decode(special.ids, { skipSpecial: true })).toBe(decoded);
    const stream = tokenizer.stream();
    expect(special.ids.map((id) => stream.push(id)).join('') + stream.flush()).toBe(decoded);
  }
};

describe('ids of vocabularies without a tokenizer.json are those of the libraries they come from', () => {
  it.each(Object.keys(golden.tiny))('%s', async (name) => {
    await compareAll(await openTokenizer(path.join(folder, 'vocabularies', name)), casesOf(golden.tiny, name));
  });

  it('T5’s spiece.model', async (context) => {
    const folder = sharedOrSkip(context, 'tokenizers/t5');
    await compareAll(await openTokenizer(folder), casesOf(golden.shared, 'tokenizers/t5'));
  });

  it('Qwen2', async (context) => {
    const folder = sharedOrSkip(context, 'tokenizers/qwen2');
    await compareAll(await openTokenizer(folder), casesOf(golden.shared, 'tokenizers/qwen2'));
  });
});

/** llama.cpp's cases: texts, and a line of ids each. */
const llamaCases = (file: string): readonly (readonly [string, readonly number[]])[] => {
  const lines = readFileSync(`${file}.out`, 'utf8').split('\n');
  const numbers = (line = ''): readonly number[] => line.split(' ').filter(Boolean).map(Number);
  const texts = readFileSync(`${file}.inp`, 'utf8').split('\n__ggml_vocab_test__\n');
  return texts.map((text, i) => [text, numbers(lines[i])] as const);
};

describe('ids of real vocabularies are those of llama.cpp', () => {
  it.for([
    ['gpt2', 'ggml-vocab/ggml-vocab-gpt-2.gguf'],
    ['qwen2', 'qwen2/ggml-vocab-qwen2.gguf'],
  ] as const)('%s', async ([name, file], context) => {
    const tokenizer = await openTokenizer(sharedOrSkip(context, `tokenizers/${name}`));
    const cases = llamaCases(sharedOrSkip(context, `tokenizers/${file}.inp`).slice(0, -'.inp'.length));
    expect(cases.length).toBeGreaterThan(40);
    const batch = await tokenizer.encodeBatch(
      cases.map(([text]) => text),
      { special: false },
    );
    cases.forEach(([text, ids], i) => {
      expect(
        batch[i]?.map((t) => t.id),
        JSON.stringify(text),
      ).toEqual(ids);
    });
  });
});

describe('BERT’s vocab.txt', () => {
  it('gives what its tokenizer.json gives', async (context) => {
    const folder = sharedOrSkip(context, 'tokenizers/bert-base-uncased');
    const [whole, words] = [await openTokenizer(folder), await openTokenizer(path.join(folder, 'vocab.txt'))];
    const texts = Object.values(golden.tiny).flatMap((cases) => cases.map(({ text }) => text));
    for (const special of [true, false])
      expect(await words.encodeBatch(texts, { special })).toEqual(await whole.encodeBatch(texts, { special }));
    expect(words.vocabSize).toBe(whole.vocabSize);
    expect(words.roles).toEqual(whole.roles);
  });
});
