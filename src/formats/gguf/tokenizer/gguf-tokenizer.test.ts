import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../../../test/support/root.js';
import { sharedOrSkip } from '../../../../test/support/shared.js';
import { openTokenizer, openTokenizerJson, type Tokenizer } from '../../index.node.js';
import { ggufTokenizerJson } from './index.js';
import { preTokenizers } from './pre-tokenizers.js';

const golden = path.join(root, 'test/golden/gguf-tokenizers');
const readJson = (name: string): unknown => JSON.parse(readFileSync(path.join(golden, name), 'utf8'));

interface Vocabulary {
  readonly tokens: readonly string[];
  readonly types: readonly number[];
}
interface BytePairs extends Vocabulary {
  readonly merges: readonly string[];
}
interface Pieces extends Vocabulary {
  readonly model: string;
  readonly scores: readonly number[];
  readonly add_space_prefix: boolean;
  readonly remove_extra_whitespaces: boolean;
  readonly precompiled_charsmap: string;
  readonly ids: readonly (readonly number[])[];
}
interface Vocabularies {
  readonly bytes: BytePairs;
  readonly spaces: BytePairs;
  readonly pieces: Readonly<Record<string, Pieces>>;
}
interface Group {
  readonly kind: 'bytes' | 'spaces';
  readonly names: readonly string[];
  readonly ids: readonly (readonly number[])[];
}
const vocabularies = readJson('vocabularies.json') as Vocabularies;
const texts = readJson('texts.json') as { readonly plain: readonly string[]; readonly rare: readonly string[] };
const llamaCpp = readJson('llama-cpp.json') as { readonly groups: readonly Group[] };
const published = readJson('published.json') as {
  readonly ids: Readonly<Record<string, readonly (readonly number[])[]>>;
};

const fields = (values: Readonly<Record<string, unknown>>) =>
  new Map(Object.entries(values).map(([name, value]) => [`tokenizer.ggml.${name}`, value])) as Parameters<
    typeof ggufTokenizerJson
  >[0];
const bytePairs = ({ tokens, types, merges }: BytePairs, more: Readonly<Record<string, unknown>> = {}) =>
  fields({
    model: 'gpt2',
    tokens,
    token_type: Int32Array.from(types),
    merges,
    bos_token_id: 0,
    eos_token_id: 1,
    ...more,
  });
const open = (metadata: Parameters<typeof ggufTokenizerJson>[0]): Promise<Tokenizer> =>
  openTokenizerJson(ggufTokenizerJson(metadata), 'test.gguf');
const encodeAll = async (tokenizer: Tokenizer, all: readonly string[]) =>
  (await tokenizer.encodeBatch(all, { special: false })).map((tokens) => tokens.map(({ id }) => id));
const idsOf = async (tokenizer: Tokenizer, text: string, special = true) =>
  (await tokenizer.encode(text, { special })).map(({ id }) => id);

const nasty = [
  ...texts.plain,
  ...texts.rare,
  '\u0000\u0001\u007f\u0085',
  '\u200b\ufeff\ufffd\u{10ffff}',
  '👩‍👩‍👧‍👦🇫🇷é\u0301\u0302',
  'a'.repeat(300),
  ' \n'.repeat(100),
  '1'.repeat(100),
  '<0x41><s>▁ĠÃ',
];

describe('every pre-tokenizer that llama.cpp names', () => {
  it.each([...preTokenizers])('%s gives every text back', async (pre, { spelling }) => {
    const tokenizer = await open(bytePairs(vocabularies[spelling === 'bytes' ? 'bytes' : 'spaces'], { pre }));
    const escaped = (text: string) => (spelling === 'spaces' ? text.replaceAll('▁', ' ') : text);
    for (const [i, ids] of (await encodeAll(tokenizer, nasty)).entries())
      expect(await tokenizer.decode(ids, { skipSpecial: false })).toBe(escaped(nasty[i] ?? ''));
  });

  it.each(llamaCpp.groups.flatMap(({ kind, names, ids }) => names.map((pre) => [pre, kind, ids] as const)))(
    '%s gives llama.cpp’s ids',
    async (pre, kind, ids) => {
      expect(await encodeAll(await open(bytePairs(vocabularies[kind], { pre })), texts.plain)).toEqual(ids);
    },
  );

  it.each(Object.entries(published.ids))('%s gives the ids of the published pattern', async (pre, ids) => {
    const all = [...texts.plain, ...texts.rare];
    expect(await encodeAll(await open(bytePairs(vocabularies.bytes, { pre })), all)).toEqual(ids);
  });

  it.each([
    ['gpt-4o', 'llama4 kanana2 talkie minimax-m2'],
    ['tiny_aya', 'cohere2moe'],
    ['jais-2', 'jais2'],
  ])('%s is also called %s', (name, others) => {
    for (const other of others.split(' ')) expect(preTokenizers.get(other)).toBe(preTokenizers.get(name));
  });

  it('cuts numbers in threes from their end, for afmoe', async () => {
    const tokenizer = await open(bytePairs(vocabularies.bytes, { pre: 'afmoe' }));
    const pieces = (await tokenizer.encode('1234567', { special: false })).map(({ text }) => text);
    expect(pieces.join('')).toBe('1234567');
    expect(pieces[0]).toBe('1');
    const places = (await tokenizer.encode('x 12345', { special: false })).map(({ end }) => end);
    expect(places).toContain(4);
  });

  it('is the default where the file names none', () => {
    const [own, named] = [{}, { pre: 'default' }].map((more) => ggufTokenizerJson(bytePairs(vocabularies.bytes, more)));
    expect(own).toEqual(named);
  });
});

describe('SentencePiece’s own ids', () => {
  it.each(Object.entries(vocabularies.pieces))('%s', async (_, { ids, precompiled_charsmap: table, ...pieces }) => {
    const { tokens, types, scores, ...flags } = pieces;
    const lists = { tokens, token_type: Int32Array.from(types), scores: Float32Array.from(scores) };
    const charsmap = Uint8Array.from(atob(table), (character) => character.charCodeAt(0));
    const tokenizer = await open(
      fields({
        ...flags,
        ...lists,
        ...(charsmap.length > 0 ? { precompiled_charsmap: charsmap } : {}),
        unknown_token_id: 0,
      }),
    );
    expect(await encodeAll(tokenizer, [...texts.plain, ...texts.rare])).toEqual(ids);
  });
});

/** Cases of llama.cpp: no special tokens are added, and none are read. */
const compareCases = async (tokenizer: Tokenizer, file: string): Promise<void> => {
  const cases = readFileSync(`${file}.inp`, 'utf8').split('\n__ggml_vocab_test__\n');
  const lines = readFileSync(`${file}.out`, 'utf8').split('\n');
  expect(cases.length).toBeGreaterThan(40);
  const expected = cases.map((_, i) =>
    (lines[i] ?? '')
      .split(' ')
      .filter((id) => id !== '')
      .map(Number),
  );
  expect(await encodeAll(tokenizer, cases)).toEqual(expected);
};

describe('llama.cpp’s cases', () => {
  it.for(['gpt-2', 'llama-spm', 'bert-bge'])('%s', async (name, context) => {
    const file = sharedOrSkip(context, `tokenizers/ggml-vocab/ggml-vocab-${name}.gguf`);
    await compareCases(await openTokenizer(file), file);
  });

  it('qwen2, from the files that the family publishes', async (context) => {
    const folder = sharedOrSkip(context, 'tokenizers/qwen2');
    const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8');
    const tokens: string[] = [];
    for (const [token, id] of Object.entries(JSON.parse(read('vocab.json')) as Record<string, number>))
      tokens[id] = token;
    const merges = read('merges.txt')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#version'));
    const tokenizer = await open(fields({ model: 'gpt2', pre: 'qwen2', tokens, merges }));
    await compareCases(tokenizer, path.join(folder, 'ggml-vocab-qwen2.gguf'));
  });
});

describe('special tokens', () => {
  const [control, userDefined] = [3, 4];
  const vocabulary: BytePairs = {
    tokens: ['<|bos|>', '<|im_end|>', '<tool>', ...Array.from('abdefghiklmnorstu<|>_'), 'th', 'the'],
    types: [control, 1, userDefined, ...Array.from({ length: 23 }, () => 1)],
    merges: ['t h', 'th e'],
  };
  const openWith = (more: Readonly<Record<string, unknown>> = {}) =>
    open(bytePairs(vocabulary, { pre: 'gpt-2', ...more }));

  it('begin and end a prompt where the file says so', async () => {
    expect(await idsOf(await openWith(), 'the')).toEqual([25]);
    expect(await idsOf(await openWith({ add_bos_token: true, add_eos_token: true }), 'the')).toEqual([0, 25, 1]);
    expect(await idsOf(await openWith({ add_bos_token: true }), 'the', false)).toEqual([25]);
    expect(await idsOf(await openWith({ pre: 'llama-bpe' }), 'the')).toEqual([0, 25]);
    expect(await idsOf(await openWith({ pre: 'llama-bpe', add_bos_token: false }), 'the')).toEqual([25]);
  });

  it('are found in a text; those of the user without special tokens too', async () => {
    const tokenizer = await openWith();
    expect(await idsOf(tokenizer, 'the<|bos|><tool><|im_end|>')).toEqual([25, 0, 2, 1]);
    const plain = await idsOf(tokenizer, 'the<|bos|><tool><|im_end|>', false);
    expect(plain).not.toContain(0);
    expect(plain).not.toContain(1);
    expect(plain).toContain(2);
    expect([...tokenizer.specials.keys()]).toEqual([0, 1]);
  });

  it('are not looked for where the vocabulary does not have them', async () => {
    expect(await idsOf(await openWith({ pre: 'llama-bpe', bos_token_id: 1e9 }), 'the')).toEqual([25]);
    expect(() => ggufTokenizerJson(bytePairs(vocabulary, { add_bos_token: true, bos_token_id: 1e9 }))).toThrow(/BOS/);
  });

  it('swallow the spaces beside them in some models', async () => {
    const metadata = new Map([...bytePairs(vocabulary, { pre: 'gpt-2' }), ['general.name', 'Phi-3 mini'] as const]);
    expect(await idsOf(await open(metadata), '<|bos|>  the')).toEqual([0, 25]);
  });
});

describe('a byte-fallback vocabulary', () => {
  const { tokens, types, scores, add_space_prefix } = vocabularies.pieces['bpe'] ?? { tokens: [], types: [] };
  const spm = (more: Readonly<Record<string, unknown>> = {}) =>
    fields({ model: 'llama', tokens, token_type: types, scores, add_space_prefix, unknown_token_id: 0, ...more });

  it('begins with BOS unless the file says otherwise', async () => {
    expect((await idsOf(await open(spm()), 'a'))[0]).toBe(1);
    expect((await idsOf(await open(spm({ add_bos_token: false })), 'a'))[0]).not.toBe(1);
  });

  it('gives every text back', async () => {
    const tokenizer = await open(spm());
    for (const [i, ids] of (await encodeAll(tokenizer, nasty)).entries())
      expect(await tokenizer.decode(ids, { skipSpecial: false })).toBe((nasty[i] ?? '').replaceAll('▁', ' '));
  });

  it('does not make a special token out of plain text', async () => {
    expect(await idsOf(await open(spm()), '</s><s>', false)).not.toContain(1);
    expect(await idsOf(await open(spm()), '</s><s>')).toEqual([1, 2, 1]);
  });
});

describe('a unigram vocabulary', () => {
  const { tokens, types, scores } = vocabularies.pieces['unigram'] ?? { tokens: [], types: [], scores: [] };
  const unigram = (of: Pick<Pieces, 'tokens' | 'types' | 'scores'>) =>
    fields({
      model: 't5',
      tokens: of.tokens,
      token_type: of.types,
      scores: of.scores,
      remove_extra_whitespaces: true,
      unknown_token_id: 0,
    });

  it('is not changed by what only fills it up', async () => {
    const known = { tokens: ['<unk>', '▁', '▁x', 'y', 'z', '▁xyz', 'z€'], types: [2, 1, 1, 1, 1, 1, 1] };
    const bare = { ...known, scores: [0, -9, -11, -11, -11, -1, -12] };
    const filled = {
      tokens: [...bare.tokens, '[PAD7]'],
      types: [...bare.types, 5],
      scores: [...bare.scores, -10000],
    };
    // The unknown € costs 22, less than the three worse pieces around it.
    for (const each of [bare, filled]) expect(await idsOf(await open(unigram(each)), 'xyz€', false)).toEqual([5, 0]);
    expect(await idsOf(await open(unigram(filled)), 'z[PAD7]', false)).not.toContain(7);
  });

  it('places its tokens in the text as it was written', async () => {
    const found = await (await open(unigram({ tokens, types, scores }))).encode('  a   Hello ', { special: false });
    for (const { text, start, end } of found) expect('  a   Hello '.slice(start, end).trim()).toBe(text.trim());
  });
});

describe('places', () => {
  it.each(Object.entries(vocabularies.pieces))('%s', async (_, { model, tokens, types, scores, ...flags }) => {
    if (model !== 'llama') return;
    const { add_space_prefix } = flags;
    const tokenizer = await open(
      fields({ model, tokens, token_type: types, scores, add_space_prefix, unknown_token_id: 0 }),
    );
    const text = 'Hello 中文 😀 world';
    const found = await tokenizer.encode(text, { special: false });
    expect(found.at(-1)?.end).toBe(text.length);
    for (const token of found.filter((t) => !t.text.startsWith('⟨')))
      expect(text.slice(token.start, token.end).trim()).toBe(token.text.trim());
  });
});
