import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../../test/support/root.js';
import { openTokenizer, type Tokenizer } from './index.node.js';

const folder = path.join(root, 'test/golden/tokenizers');
const scratch = mkdtempSync(path.join(tmpdir(), 'cutaway-tokenizer-'));
let byteLevel: Tokenizer;
let byteFallback: Tokenizer;
let wordPiece: Tokenizer;
beforeAll(async () => {
  byteLevel = await openTokenizer(path.join(folder, 'byte-level.json'));
  byteFallback = await openTokenizer(path.join(folder, 'byte-fallback.json'));
  wordPiece = await openTokenizer({ tokenizer: path.join(folder, 'word-piece.json') });
});
afterAll(() => {
  rmSync(scratch, { recursive: true });
});
const brief = async (tokenizer: Tokenizer, text: string, special = true) =>
  (await tokenizer.encode(text, { special })).map(({ text: piece, start, end }) => [piece, start, end]);

describe('the text of a token', () => {
  it('is readable: spaces, whole characters, and bytes that are only a part of one', async () => {
    expect(await brief(byteLevel, 'The cat \u{1f600}')).toEqual([
      ['The', 0, 3],
      [' cat', 3, 7],
      [' ', 7, 8],
      ['⟨0xF0⟩', 8, 10],
      ['⟨0x9F⟩', 8, 10],
      ['⟨0x98⟩', 8, 10],
      ['⟨0x80⟩', 8, 10],
    ]);
    expect((await brief(byteFallback, 'é\n')).map(([piece]) => piece)).toEqual(['<s>', ' ', '⟨0xC3⟩', '⟨0xA9⟩', '\n']);
  });

  it('is the id in brackets where the vocabulary lacks it', () => {
    for (const id of [byteLevel.vocabSize, 2 ** 32, -1, 0.5, NaN]) expect(byteLevel.tokenText(id)).toBe(`[${id}]`);
  });

  it('leads back to the token', () => {
    for (const tokenizer of [byteLevel, byteFallback, wordPiece]) {
      const texts = Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.tokenText(id));
      texts.forEach((text, id) => {
        const found = tokenizer.idOf(text);
        expect(found === id || texts.indexOf(text) !== texts.lastIndexOf(text), `${id} ${text}`).toBe(true);
        expect(tokenizer.tokenText(found ?? -1)).toBe(text);
      });
    }
  });

  it('leads nowhere where no single token has it', () => {
    expect(byteLevel.idOf('the cat')).toBeUndefined();
    expect(byteLevel.idOf('')).toBeUndefined();
    expect(byteLevel.idOf('Ġcat')).toBeUndefined();
    expect(byteFallback.idOf('<0x41>')).toBeUndefined();
    expect(byteLevel.idOf('\ud800')).toBeUndefined();
  });
});

describe('special tokens', () => {
  it('of the template stand where they are put in', async () => {
    expect(await brief(wordPiece, 'cat 😀')).toMatchObject([['[CLS]', 0, 0], {}, ['[UNK]', 4, 6], ['[SEP]', 6, 6]]);
    expect(await brief(byteFallback, '')).toEqual([['<s>', 0, 0]]);
  });

  it('are read as plain text without them', async () => {
    const id = byteLevel.idOf('<|endoftext|>') ?? -1;
    const text = 'a<|endoftext|>';
    expect((await byteLevel.encode(text, { special: true })).map((t) => t.id)).toContain(id);
    const plain = await byteLevel.encode(text, { special: false });
    expect(plain.map((t) => t.id)).not.toContain(id);
    expect(plain.map((t) => t.text).join('')).toBe(text);
  });

  it('do not move the ids of other added tokens', async () => {
    const plain = await byteFallback.encode('a<tool>', { special: false });
    expect(plain.at(-1)).toMatchObject({ id: byteFallback.idOf('<tool>'), text: '<tool>', start: 1, end: 7 });
  });

  it('are known by id, and left out of a text when asked', async () => {
    expect(byteFallback.specials.get(1)).toBe('<s>');
    const ids = (await byteFallback.encode('the cat', { special: true })).map((t) => t.id);
    expect(await byteFallback.decode(ids, { skipSpecial: true })).toBe('the cat');
    expect(await byteFallback.decode(ids, { skipSpecial: false })).toContain('<s>');
  });
});

describe('any text', () => {
  it('a lone surrogate is read as U+FFFD and keeps the places after it right', async () => {
    const tokens = await byteLevel.encode('\ud800x\udc00', { special: true });
    expect(tokens.find((t) => t.text === 'x')).toMatchObject({ start: 1, end: 2 });
    expect(tokens.at(-1)?.end).toBe(3);
  });

  it('comes back from its tokens, at once and one by one, and the places cover it', async () => {
    const texts = fc.string({
      unit: fc.constantFrom(
        'a',
        'b',
        ' ',
        '\n',
        '😀',
        'é',
        '日',
        '\u0301',
        '\u200b',
        '🇫',
        'the',
        '<s>',
        '\ufffd',
        '\ufeff',
      ),
    });
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const tokens = await byteLevel.encode(text, { special: false });
        const ids = tokens.map((t) => t.id);
        expect(await byteLevel.decode(ids, { skipSpecial: true })).toBe(text);
        const stream = byteLevel.stream();
        const parts = ids.map((id) => stream.push(id));
        expect(parts.join('') + stream.flush()).toBe(text);
        expect(tokens.map((t) => t.start)).toEqual(tokens.map((t) => t.start).sort((a, b) => a - b));
        for (const t of tokens) expect(text.slice(t.start, t.end)).not.toMatch(/\p{Surrogate}/u);
        expect(tokens.at(-1)?.end ?? 0).toBe(text.length);
      }),
      { numRuns: 200 },
    );
  });

  it('is encoded the same alone and in a batch', async () => {
    const texts = ['the cat', '', '日本 😀'];
    const batch = await byteFallback.encodeBatch(texts, { special: true });
    expect(batch).toEqual(await Promise.all(texts.map((t) => byteFallback.encode(t, { special: true }))));
  });
});

describe('a stream', () => {
  const idsOf = async (tokenizer: Tokenizer, text: string) =>
    (await tokenizer.encode(text, { special: false })).map((t) => t.id);

  it('tells no half characters', async () => {
    const stream = byteLevel.stream();
    const parts = (await idsOf(byteLevel, 'a😀b')).map((id) => stream.push(id));
    expect(parts).toEqual(['a', '', '', '', '😀', 'b']);
  });

  it('drops the leading space at the start of a text only', async () => {
    const texts = Array.from({ length: byteFallback.vocabSize }, (_, id) => byteFallback.tokenText(id));
    const id = texts.findIndex((text) => /^ \w+$/.test(text));
    const word = byteFallback.tokenText(id);
    const fresh = byteFallback.stream();
    expect([fresh.push(id), fresh.push(id)]).toEqual([word.slice(1), word]);
    expect(byteFallback.stream([1, id]).push(id)).toBe(word);
  });

  it('goes on after bytes that never become a character', async () => {
    const stream = byteLevel.stream();
    const lead = byteLevel.idOf('⟨0xF0⟩') ?? -1;
    const told = Array.from({ length: 20 }, () => stream.push(lead)).join('');
    expect(told.length).toBeGreaterThan(10);
    const rest = stream.push(byteLevel.idOf('a') ?? -1) + stream.flush();
    expect(told + rest).toBe(`${'\ufffd'.repeat(20)}a`);
  });

  it('tells an unfinished character at the end', () => {
    const stream = byteLevel.stream();
    expect(stream.push(byteLevel.idOf('⟨0xF0⟩') ?? -1)).toBe('');
    expect(stream.flush()).toBe('\ufffd');
    expect(stream.flush()).toBe('');
  });

  it('leaves out special tokens and ids that are unknown', () => {
    const stream = byteFallback.stream();
    expect(stream.push(1) + stream.push(1e6) + stream.flush()).toBe('');
  });
});

describe('a tokenizer that cannot be used', () => {
  const invalid = { info: { code: 'TOKENIZER_INVALID' }, blame: 'model' };
  const write = (text: string): string => {
    const file = path.join(scratch, 'tokenizer.json');
    writeFileSync(file, text);
    return file;
  };
  const bpe = (parts: object, model: object = {}) =>
    JSON.stringify({ ...parts, model: { type: 'BPE', vocab: { a: 0, b: 1, ab: 2 }, merges: ['a b'], ...model } });

  it('works before it is damaged', async () => {
    expect((await openTokenizer(write(bpe({})))).vocabSize).toBe(3);
  });

  it.each([
    ['an empty file', ''],
    ['half an object', '{'],
    ['a list', '[]'],
    ['a number', '5'],
    ['an object without a model', '{}'],
    ['a model that is a number', '{"model":5}'],
    ['a model without a vocabulary', '{"model":{"type":"BPE"}}'],
    ['very deep brackets', '['.repeat(100_000)],
  ])('%s', async (_, text) => {
    await expect(openTokenizer(write(text))).rejects.toMatchObject(invalid);
  });

  it.each([
    ['an unknown kind', bpe({}, { type: 'Magic' })],
    ['a merge of unknown pieces', bpe({}, { merges: ['a z'] })],
    ['a negative id', bpe({}, { vocab: { a: -1 } })],
    ['an id that is a text', bpe({}, { vocab: { a: '0' } })],
    ['an added token without content', bpe({ added_tokens: [{ id: 3 }] })],
    ['added tokens that are no list', bpe({ added_tokens: {} })],
    [
      'a pattern that is none',
      bpe({ pre_tokenizer: { type: 'Split', pattern: { Regex: '(' }, behavior: 'Isolated', invert: false } }),
    ],
    ['scores that are none', JSON.stringify({ model: { type: 'Unigram', vocab: [['a', 'b']], unk_id: 0 } })],
    // Each of these would abort the process inside the library.
    ['a merge without its prefix', bpe({}, { continuing_subword_prefix: '€€' })],
    [
      'a template with an unknown token',
      bpe({
        post_processor: {
          type: 'Sequence',
          processors: [
            {
              type: 'TemplateProcessing',
              single: [{ SpecialToken: { id: '[X]', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
              pair: [],
              special_tokens: {},
            },
          ],
        },
      }),
    ],
    [
      'a damaged table of normalisations',
      bpe({ normalizer: { type: 'Precompiled', precompiled_charsmap: '/////w==' } }),
    ],
    ['a short table of normalisations', bpe({ normalizer: { type: 'Precompiled', precompiled_charsmap: '' } })],
    ['a table that is no base64', bpe({ normalizer: { type: 'Precompiled', precompiled_charsmap: '!' } })],
    ['pieces of length 0', bpe({ pre_tokenizer: { type: 'FixedLength', length: 0 } })],
  ])('%s', async (_, text) => {
    await expect(openTokenizer(write(text))).rejects.toMatchObject(invalid);
  });

  it('one that is cut short', async () => {
    const whole = readFileSync(path.join(folder, 'unigram.json'), 'utf8');
    await expect(openTokenizer(write(whole.slice(0, whole.length / 2)))).rejects.toMatchObject(invalid);
  });

  it('one that fails on a text', async () => {
    const tokenizer = await openTokenizer(
      write(JSON.stringify({ model: { type: 'Unigram', vocab: [['a', -1]], unk_id: null } })),
    );
    await expect(tokenizer.encode('z', { special: true })).rejects.toMatchObject(invalid);
  });

  it('one that is too large, before memory is taken', async () => {
    const file = write('{}');
    truncateSync(file, 256_000_001);
    await expect(openTokenizer(file)).rejects.toMatchObject({ info: { code: 'FILE_UNREADABLE' } });
  });

  it('one that is not there', async () => {
    const told = (code: string) => ({ info: { code } });
    await expect(openTokenizer(path.join(scratch, 'nowhere'))).rejects.toMatchObject(told('MODEL_NOT_FOUND'));
    await expect(openTokenizer(root)).rejects.toMatchObject(told('TOKENIZER_MISSING'));
  });

  it('one with parts exchanged at random is loaded or refused', async () => {
    const base = JSON.parse(readFileSync(path.join(folder, 'byte-fallback.json'), 'utf8')) as object;
    const part = fc.constantFrom(
      'normalizer',
      'pre_tokenizer',
      'post_processor',
      'decoder',
      'added_tokens',
      'truncation',
      'padding',
    );
    await fc.assert(
      fc.asyncProperty(part, fc.jsonValue({ maxDepth: 3 }), async (name, value) => {
        const outcome = await openTokenizer(write(JSON.stringify({ ...base, [name]: value }))).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (outcome !== undefined) expect(outcome).toMatchObject(invalid);
      }),
      { numRuns: 60 },
    );
  });
});
