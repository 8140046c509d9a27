import { stripVTControlCharacters } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { looksSpecial, sentenceAround } from './sentence.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

const styledAround = (texts: readonly string[], at: number): string =>
  sentenceAround(
    texts.map((text, id) => ({ id, text })),
    at,
  );
const around = (texts: readonly string[], at: number): string => stripVTControlCharacters(styledAround(texts, at));

describe('a sentence from tokens', () => {
  it('joins what goes on', () => {
    expect(around(['[CLS]', 'the', '[MASK]', ',', 'is', 'blu', '##ish', '.', '[SEP]'], 2)).toBe(
      '[CLS] the [MASK], is bluish. [SEP]',
    );
  });

  it('keeps spaces where the vocabulary has them', () => {
    expect(around(['<s>', 'The', '<mask>', ' is', ' blu', 'ish', '.', '</s>'], 2)).toBe(
      '<s> The <mask> is bluish. </s>',
    );
  });

  it('leaves out what is far', () => {
    const words = Array.from({ length: 100 }, (_, i) => `w${i}`);
    expect(around(words, 50)).toMatch(/^… w34 .* w66 …$/);
    expect(around(words, 0)).toMatch(/^w0 .* w16 …$/);
  });

  it('shows control characters as pictures, in one line', () => {
    expect(around(['a\u001b[2J', 'b\nc', '[MASK]'], 2)).toBe('a␛[2J b c [MASK]');
  });

  it('is plain where there is no terminal', () => {
    vi.stubEnv('FORCE_COLOR', undefined);
    vi.stubEnv('NO_COLOR', '1');
    expect(styledAround(['[CLS]', '[MASK]'], 1)).toBe('[CLS] [MASK]');
  });

  it('makes the token stand out, and special ones dim', () => {
    vi.stubEnv('FORCE_COLOR', '1');
    vi.stubEnv('NO_COLOR', undefined);
    expect(styledAround(['[CLS]', '[MASK]'], 1)).toBe(
      '\u001b[2m[CLS]\u001b[22m \u001b[1m\u001b[36m[MASK]\u001b[39m\u001b[22m',
    );
  });
});

describe('special tokens', () => {
  it.each(['[CLS]', '[MASK]', '<s>', '</s>', '<mask>', '<|endoftext|>', '<extra_id_0>'])('%s is one', (text) => {
    expect(looksSpecial(text)).toBe(true);
  });

  it.each(['t5', '[', 'MASK', '<', '[mask]', ' <s>', '##s', '<a b>'])('%s is none', (text) => {
    expect(looksSpecial(text)).toBe(false);
  });
});
