import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kthLargest, probabilities, topTokens } from './top-tokens.js';

/** Few different values, so that ties are frequent. */
const logit = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(NaN, Infinity, -Infinity));
const someLogits = fc.array(logit, { minLength: 1, maxLength: 60 }).map((list) => Float32Array.from(list));

const rank = (x: number | undefined): number => (x === undefined || Number.isNaN(x) ? -Infinity : x);

describe('topTokens', () => {
  it('is the head of the whole order, ties by id', () => {
    fc.assert(
      fc.property(someLogits, fc.nat({ max: 70 }), (logits, n) => {
        const order = [...logits.keys()].sort((a, b) => {
          const [x, y] = [rank(logits[a]), rank(logits[b])];
          return x === y ? a - b : y > x ? 1 : -1;
        });
        expect(topTokens(logits, n).map((t) => t.id)).toEqual(order.slice(0, n));
      }),
    );
  });
  it('gives logits as they are and probabilities of all tokens together', () => {
    const [first, second] = topTokens(Float32Array.of(0, Math.log(3), -Infinity), 2);
    expect(first?.id).toBe(1);
    expect(first?.probability).toBeCloseTo(0.75, 6);
    expect(second?.probability).toBeCloseTo(0.25, 6);
  });
  it('is stable for large logits', () => {
    expect(topTokens(Float32Array.of(3e38, 3e38), 2).map((t) => t.probability)).toEqual([0.5, 0.5]);
  });
  it('is as long as the vocabulary at most', () => {
    expect(topTokens(Float32Array.of(1, 2), 10)).toHaveLength(2);
    expect(topTokens(Float32Array.of(1, 2), 0)).toEqual([]);
    expect(topTokens(new Float32Array(0), 3)).toEqual([]);
  });
});

describe('probabilities', () => {
  it('are never NaN and sum to 1, whatever the logits', () => {
    fc.assert(
      fc.property(someLogits, (logits) => {
        const chances = probabilities(logits);
        expect(chances.every((p) => p >= 0 && p <= 1)).toBe(true);
        expect(chances.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
      }),
    );
  });
});

describe('kthLargest', () => {
  it('is what sorting gives', () => {
    fc.assert(
      fc.property(someLogits, fc.nat(), (logits, seed) => {
        const k = (seed % logits.length) + 1;
        expect(kthLargest(logits, k)).toBe(logits.map(rank).sort()[logits.length - k]);
      }),
    );
  });
});
