import { describe, expect, it } from 'vitest';
import { bool, float32, float64, int64From, sizeOf, stridesOf, toFloat32 } from './tensor.js';

describe('tensor', () => {
  it('has as many numbers as its shape', () => {
    expect(float32([2, 3], new Float32Array(6)).shape).toEqual([2, 3]);
    expect(() => float32([2, 3], new Float32Array(5))).toThrow('[2, 3] cannot hold 5 numbers');
    expect(() => int64From([], [])).toThrow('cannot hold 0 numbers');
  });
  it('counts elements and steps row by row', () => {
    expect([sizeOf([]), sizeOf([4]), sizeOf([2, 0, 3])]).toEqual([1, 4, 0]);
    expect(stridesOf([2, 3, 4])).toEqual([12, 4, 1]);
    expect(stridesOf([])).toEqual([]);
  });
  it('becomes float32, its own array where it is that already', () => {
    const own = Float32Array.of(1, 2);
    expect(toFloat32(float32([2], own))).toBe(own);
    expect(toFloat32(float64([1], Float64Array.of(0.1)))).toEqual(Float32Array.of(0.1));
    expect(toFloat32(int64From([2], [-1, 2 ** 40]))).toEqual(Float32Array.of(-1, 2 ** 40));
    expect(toFloat32(bool([2], Uint8Array.of(0, 1)))).toEqual(Float32Array.of(0, 1));
  });
});
