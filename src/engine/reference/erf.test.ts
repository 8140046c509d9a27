import { describe, expect, it } from 'vitest';
import { erf } from './erf.js';

/** erf(x) of C's library as Python's math.erf prints it. */
const known: readonly (readonly [number, number])[] = [
  [1e-8, 1.1283791670955126e-8],
  [0.1, 0.1124629160182849],
  [0.5, 0.5204998778130465],
  [1, 0.8427007929497149],
  [1.5, 0.9661051464753108],
  [2, 0.9953222650189527],
  [2.5, 0.999593047982555],
  [3, 0.9999779095030014],
  [3.7, 0.9999998328489421],
  [4.5, 0.9999999998033839],
  [5.5, 0.9999999999999927],
];

describe('erf', () => {
  it.each(known)('is right to 1e-14 at ±%d', (x, value) => {
    expect(Math.abs(erf(x) - value)).toBeLessThan(1e-14);
    expect(erf(-x)).toBe(-erf(x));
  });

  it('keeps tiny numbers to the last digits', () => {
    expect(Math.abs(erf(1e-8) / 1.1283791670955126e-8 - 1)).toBeLessThan(1e-15);
  });

  it('ends at ±1 and keeps NaN', () => {
    expect([erf(6), erf(Infinity), erf(-Infinity), erf(0), erf(NaN)]).toEqual([1, 1, -1, 0, NaN]);
  });

  it('never leaves [-1, 1] nor falls', () => {
    const values = Array.from({ length: 7000 }, (_, i) => erf(i / 1000));
    expect(Math.max(...values)).toBe(1);
    values.forEach((value, i) => {
      expect(value).toBeGreaterThanOrEqual((values[i - 1] ?? 0) - 2e-15);
    });
  });
});
