import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../test/support/root.js';
import { sharedOrSkip } from '../../test/support/shared.js';
import { openTokenizer } from './index.node.js';
import type { Token, Tokenizer } from './index.js';

interface Encoded {
  readonly ids: readonly number[];
  /** Null for a token that the template puts in. */
  readonly places: readonly (readonly [number, number] | null)[];
}
interface Case {
  readonly text: string;
  readonly special: Encoded;
  readonly plain: Encoded;
  readonly decoded: string;
}
interface Golden {
  readonly tiny: Readonly<Record<string, readonly Case[]>>;
  readonly shared: Readonly<Record<string, readonly Case[]>>;
}

const folder = path.join(root, 'test/golden/tokenizers');
const golden = JSON.parse(readFileSync(path.join(folder, 'golden.json'), 'utf8')) as Golden;

const casesOf = (all: Readonly<Record<string, readonly Case[]>>, name: string): readonly Case[] => {
  const cases = all[name];
  if (cases && cases.length > 20) return cases;
  throw new Error(`golden.json has no cases of ${name}`);
};

const compare = (tokens: readonly Token[], expected: Encoded): void => {
  expect(tokens.map((t) => t.id)).toEqual(expected.ids);
  const places = tokens.map((t, i) => (expected.places[i] === null ? null : [t.start, t.end]));
  expect(places).toEqual(expected.places);
};

const compareAll = async (tokenizer: Tokenizer, cases: readonly Case[]): Promise<void> => {
  for (const { text, special, plain, decoded } of cases) {
    compare(await tokenizer.encode(text, { special: true }), special);
    compare(await tokenizer.encode(text, { special: false }), plain);
    expect(await tokenizer.decode(special.ids, { skipSpecial: true })).toBe(decoded);
    const stream = tokenizer.stream();
    expect(special.ids.map((id) => stream.push(id)).join('') + stream.flush()).toBe(decoded);
  }
};

describe('the Python library’s ids, places and texts', () => {
  it.each(Object.keys(golden.tiny))('%s', async (name) => {
    await compareAll(await openTokenizer(path.join(folder, `${name}.json`)), casesOf(golden.tiny, name));
  });

  it('tinystories-656k', async (context) => {
    const file = sharedOrSkip(context, 'models/tinystories-656k');
    await compareAll(await openTokenizer(file), casesOf(golden.shared, 'models/tinystories-656k'));
  });

  it('bert-base-uncased', async (context) => {
    const file = sharedOrSkip(context, 'tokenizers/bert-base-uncased');
    await compareAll(await openTokenizer(file), casesOf(golden.shared, 'tokenizers/bert-base-uncased'));
  });

  it('gpt2', async (context) => {
    const file = sharedOrSkip(context, 'tokenizers/gpt2');
    await compareAll(await openTokenizer(file), casesOf(golden.shared, 'tokenizers/gpt2'));
  });
});
