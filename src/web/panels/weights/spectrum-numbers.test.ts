import { describe, expect, it } from 'vitest';
import { spectrumFloor, spectrumLine, spectrumNumbers } from './spectrum-numbers.js';

describe('numbers of a spectrum', () => {
  it('of equal values: all ranks are full', () => {
    const found = spectrumNumbers({ values: [2, 2, 2, 2], count: 4, norm: 4, shape: [4, 4] });
    expect(found.effectiveRank).toBeCloseTo(4, 10);
    expect(found).toMatchObject({ greatest: 2, stableRank: 4, rank: 4, condition: 1 });
  });

  it('of one direction: one, and no end of a condition', () => {
    const found = spectrumNumbers({ values: [3, 0, 0], count: 3, norm: 3, shape: [3, 5] });
    expect(found).toMatchObject({ stableRank: 1, rank: 1, condition: Infinity });
    expect(found.effectiveRank).toBeCloseTo(1, 10);
  });

  it('of the greatest alone tell no more than they can', () => {
    const found = spectrumNumbers({ values: [3, 2], count: 100, norm: 6, shape: [100, 100] });
    expect(found).toEqual({
      greatest: 3,
      stableRank: 4,
      effectiveRank: undefined,
      rank: undefined,
      condition: undefined,
    });
  });

  it('of nothing are nothing', () => {
    expect(spectrumNumbers({ values: [0, 0], count: 2, norm: 0, shape: [2, 2] })).toMatchObject({
      effectiveRank: 0,
      stableRank: 0,
    });
  });

  it('as a line go from the upper left to the lower right, on a logarithmic scale', () => {
    const spectrum = { values: [1, 0.1, 0.01], count: 3 };
    expect(spectrumFloor(spectrum)).toBe(0.01);
    expect(spectrumLine(spectrum, 0.01)).toBe('16.67,1.00 50.00,20.00 83.33,39.00');
  });
});
