import { describe, expect, it } from 'vitest';
import { statistics } from './statistics.js';
import { bool, float32, float64, int64From } from './tensor.js';

const of = (...values: number[]) => statistics(float32([values.length], Float32Array.from(values)));

describe('statistics', () => {
  it('are those of the numbers, with the divisor n', () => {
    expect(of(1, 2, 3, 4)).toEqual({ min: 1, max: 4, mean: 2.5, std: Math.sqrt(1.25), nan: 0, inf: 0 });
  });
  it('leave NaN and infinities out, and count them', () => {
    expect(of(NaN, 5, Infinity, -Infinity, 7)).toEqual({ min: 5, max: 7, mean: 6, std: 1, nan: 1, inf: 2 });
  });
  it('are NaN where nothing is finite', () => {
    expect(of(NaN)).toEqual({ min: NaN, max: NaN, mean: NaN, std: NaN, nan: 1, inf: 0 });
    expect(of().mean).toBe(NaN);
  });
  it('have no spread for one number', () => expect(of(-3)).toMatchObject({ min: -3, max: -3, mean: -3, std: 0 }));
  it('do not cancel far from zero', () => {
    const values = Float64Array.of(1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16);
    expect(statistics(float64([4], values)).std).toBeCloseTo(Math.sqrt(22.5), 9);
  });
  it('take integers and truth values', () => {
    expect(statistics(int64From([2], [-1, 3]))).toMatchObject({ min: -1, max: 3, mean: 1 });
    expect(statistics(bool([4], Uint8Array.of(0, 1, 1, 1))).mean).toBe(0.75);
  });
});
