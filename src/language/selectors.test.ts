import { describe, expect, it } from 'vitest';
import { UsageError } from '../base/index.js';
import { formatSelector, parseSelector } from './index.js';

const messageOf = (text: string): string => {
  try {
    parseSelector(text);
  } catch (error) {
    if (error instanceof UsageError && error.info.code === 'SELECTOR_SYNTAX') return error.message;
    throw error;
  }
  return 'no error';
};

describe('parseSelector', () => {
  it('reads indices, ranges, lists and texts', () => {
    const text = 'blocks.3.attn.pattern[head=2, query=-1, key=0..3, batch=(1 4 9), position=" Paris", source=\' a\'#2]';
    expect(parseSelector(text)).toEqual({
      site: 'blocks.3.attn.pattern',
      where: {
        head: 2,
        query: -1,
        key: { from: 0, to: 3 },
        batch: [1, 4, 9],
        position: { token: ' Paris' },
        source: { token: ' a', occurrence: 2 },
      },
    });
  });
  it('reads the name alone, blanks anywhere between tokens, and commas in a list', () => {
    expect(parseSelector(' embed ')).toEqual({ site: 'embed', where: {} });
    expect(parseSelector('embed [ model = ( 1, 2 ) ]').where).toEqual({ model: [1, 2] });
  });
  it("reads JSON's escapes in both kinds of quotes", () => {
    expect(parseSelector(String.raw`x[position="\u00e9\n\"'"]`).where).toEqual({ position: { token: 'é\n"\'' } });
    expect(parseSelector(String.raw`x[position='it\'s "']`).where).toEqual({ position: { token: 'it\'s "' } });
  });
  it('reads a repeated block, of which the first has no mark', () => {
    expect(parseSelector('blocks.3#2.attn.z').site).toBe('blocks.3#2.attn.z');
    expect(parseSelector('blocks.3#1.attn.z').site).toBe('blocks.3.attn.z');
  });

  it.each([
    ['', 'column 1: expected a site'],
    ['blocks..z', 'column 1: expected a site'],
    ['embed[', 'column 7: expected an axis'],
    ['embed[]', 'column 7: expected an axis'],
    ['embed[model]', 'column 12: expected `=`, found `]`'],
    ['embed[model=]', 'column 13: expected an integer'],
    ['embed[model=1.5]', 'column 14: expected `,` or `]`'],
    ['embed[model=1, model=2]', 'column 16: expected each axis once'],
    ['embed[model=(1 2]', 'column 17: expected an integer or `)`'],
    ['embed[model=()]', 'column 14: expected an integer'],
    ['embed[position="a]', 'column 16: expected a closing double quote'],
    [String.raw`embed[position="a\q"]`, 'column 18: expected an escape of JSON'],
    ['embed[position="a"#0]', 'column 19: expected `,` or `]`'],
    ['embed[model=1] x', 'column 16: expected the end of the line, found `x`'],
    ['embed[model=99999999999999999]', 'column 13: expected an integer of at most 15 digits'],
    ['embed # no comments here', 'column 7: expected the end'],
  ])('%s: %s', (text, message) => {
    expect(messageOf(text)).toContain(message);
  });

  it('is the inverse of formatSelector', () => {
    const text = String.raw`blocks.3.attn.z[head=-1, position=" \"é\n"#last, model=(1 4), key=-3..-1]`;
    expect(formatSelector(parseSelector(text))).toBe(text);
  });
});
