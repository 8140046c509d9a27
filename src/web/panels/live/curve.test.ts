import { describe, expect, it } from 'vitest';
import { curveOf, logShare } from './curve.js';

describe('a curve', () => {
  it('goes from the least to the greatest number, and is interrupted where one is missing', () => {
    const { lines, low, high } = curveOf([4, 2, null, 3, 1]);
    expect({ low, high }).toEqual({ low: 1, high: 4 });
    expect(lines).toEqual(['0.00,1.00 25.00,19.67', '75.00,10.33 100.00,29.00']);
  });

  it('lies in the middle where all numbers are the same', () => {
    expect(curveOf([2, 2]).lines).toEqual(['0.00,15.00 100.00,15.00']);
  });
});

describe('the bar of a norm', () => {
  it('goes by orders of magnitude, two at the least', () => {
    expect(logShare(1, [1, 1e-4])).toBe(1);
    expect(logShare(1e-2, [1, 1e-4])).toBeCloseTo(0.5);
    expect(logShare(0.5, [1, 0.5])).toBeCloseTo(0.85, 2);
  });

  it('is not there for what is 0 or no number', () => {
    expect(logShare(0, [1, 0])).toBe(0);
    expect(logShare(null, [1, null])).toBe(0);
  });
});
