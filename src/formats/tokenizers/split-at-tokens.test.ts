import { describe, expect, it } from 'vitest';
import { splitAtTokens } from './split-at-tokens.js';

const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
const split = splitAtTokens([
  { ...flags, id: 1, content: '<s>' },
  { ...flags, id: 2, content: '<s>x' },
  { ...flags, id: 3, content: '<left>', lstrip: true },
  { ...flags, id: 4, content: '<right>', rstrip: true },
  { ...flags, id: 5, content: 'word', single_word: true },
]);
const parts = (text: string) => split(text).map(({ id, start, end }) => [id, text.slice(start, end)]);

describe('a text is cut at tokens', () => {
  it('the longest at a place', () => {
    expect(parts('a<s>xb<s>')).toEqual([
      [undefined, 'a'],
      [2, '<s>x'],
      [undefined, 'b'],
      [1, '<s>'],
    ]);
    expect(parts('')).toEqual([]);
  });

  it('with the spaces that they take, each space once', () => {
    expect(parts('a \t<left> b')).toEqual([
      [undefined, 'a'],
      [3, ' \t<left>'],
      [undefined, ' b'],
    ]);
    expect(parts('<right>  <left>b')).toEqual([
      [4, '<right>  '],
      [3, '<left>'],
      [undefined, 'b'],
    ]);
  });

  it('as words of their own where they must be', () => {
    expect(parts('word wordy')).toEqual([
      [5, 'word'],
      [undefined, ' wordy'],
    ]);
    expect(parts('𝒳word')).toEqual([[undefined, '𝒳word']]);
  });
});
