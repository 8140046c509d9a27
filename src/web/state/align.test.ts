import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { align } from './align.js';

const words = (text: string): string[] => text.split('');

describe('tokens of two texts', () => {
  it.for([
    ['of one length stand for each other place by place', 'abc', 'axc', [0, 1, 2]],
    ['at the beginning and the end are found where some are put in', 'abcd', 'abxxcd', [0, 1, 4, 5]],
    ['that the other text has not stand for nothing', 'abxcd', 'abcd', [0, 1, undefined, 2, 3]],
    ['of texts that have nothing in common stand for nothing', 'ab', 'xyz', [undefined, undefined]],
    ['of an empty text are none', '', 'abc', []],
  ] as const)('%s', ([, a, b, expected]) => {
    expect(align(words(a), words(b))).toEqual(expected);
  });

  it('are paired in order, each with an equal one, as many as can be', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        const pairs = align(a, b);
        if (a.length === b.length) return;
        const found = pairs.flatMap((j, i) => (j === undefined ? [] : [[i, j] as const]));
        for (const [i, j] of found) expect(a[i]).toBe(b[j]);
        const places = found.map(([, j]) => j);
        expect(places).toEqual([...new Set(places)].sort((x, y) => x - y));
        expect(found.length).toBe(longest(a, b));
      }),
    );
  });
});

/** The length of the longest common subsequence, the plain way. */
const longest = (a: readonly string[], b: readonly string[]): number => {
  const [x, ...as] = a;
  const [y, ...bs] = b;
  if (x === undefined || y === undefined) return 0;
  return x === y ? 1 + longest(as, bs) : Math.max(longest(as, b), longest(a, bs));
};
