import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makePrefixSearch } from './prefix-search.js';

const found = (entries: readonly string[], text: string, at: number): readonly string[] => {
  const all: string[] = [];
  makePrefixSearch(entries)(text, at, (index, length) => {
    expect(entries[index]?.length).toBe(length);
    all.push(entries[index] ?? '');
  });
  return all;
};

describe('the entries that a text begins with', () => {
  it('are those that it does begin with, the shortest first', () => {
    const word = fc.string({
      unit: fc.constantFrom('a', 'b', 'é', '😀', '\ud83d', '\uffff'),
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(fc.uniqueArray(word), fc.array(word), fc.nat(8), (entries, words, at) => {
        const text = words.join('');
        const expected = entries.filter((entry) => text.startsWith(entry, at) && at + entry.length <= text.length);
        expect(found(entries, text, at)).toEqual(expected.sort((a, b) => a.length - b.length));
      }),
    );
  });

  it('are none where there are no entries, or the text is at its end', () => {
    expect(found([], 'a', 0)).toEqual([]);
    expect(found(['a'], 'a', 1)).toEqual([]);
  });
});
