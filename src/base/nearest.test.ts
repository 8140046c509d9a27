import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, nearest } from './nearest.js';

describe('edit distance', () => {
  it.each([
    ['kitten', 'sitting', 3],
    ['flaw', 'lawn', 2],
    ['', 'abc', 3],
    ['abc', '', 3],
    ['same', 'same', 0],
  ])('of %s and %s is %d', (a, b, distance) => expect(editDistance(a, b)).toBe(distance));
  it('is a distance: symmetric, zero for equal words only, and no detour is shorter', () => {
    const word = fc.string({ maxLength: 8, unit: fc.constantFrom('a', 'b', 'c') });
    fc.assert(
      fc.property(word, word, word, (a, b, c) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
        expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
      }),
    );
  });
});

describe('nearest', () => {
  const sites = ['blocks.0.attn.pattern', 'blocks.0.attn.scores', 'blocks.0.resid_pre', 'logits'];
  it('puts the nearest first', () => {
    expect(nearest('blocks.0.atn.patern', sites)[0]).toBe('blocks.0.attn.pattern');
    expect(nearest('logit', sites, 1)).toEqual(['logits']);
  });
  it('keeps the order of ties', () => expect(nearest('x', ['c', 'a', 'b'])).toEqual(['c', 'a', 'b']));
  it('gives what is there where it is fewer', () => {
    expect(nearest('x', ['a'])).toEqual(['a']);
    expect(nearest('x', [])).toEqual([]);
    expect(nearest('x', sites, 0)).toEqual([]);
  });
  it('is bounded for very long words', () => {
    const long = 'a'.repeat(1e6);
    expect(nearest(long, [long, 'b'])).toEqual([long, 'b']);
  });
});
