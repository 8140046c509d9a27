import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, range, take } from './slice.js';
import { bool, float32, int64From } from './tensor.js';

const counted = (...shape: number[]) =>
  float32(
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
  );
const matrix = counted(2, 3);

describe('take', () => {
  it('copies indices of an axis in the order given, more than once too', () => {
    expect(take(matrix, 1, [2, 0, 2])).toEqual(float32([2, 3], Float32Array.of(2, 0, 2, 5, 3, 5)));
    expect(take(matrix, 0, [1])).toEqual(float32([1, 3], Float32Array.of(3, 4, 5)));
  });
  it('takes nothing', () => expect(take(matrix, 1, [])).toEqual(float32([2, 0], new Float32Array(0))));
  it('keeps the element type', () => {
    expect(take(int64From([3], [7, 8, 9]), 0, [2, 1])).toEqual(int64From([2], [9, 8]));
    expect(take(bool([2], Uint8Array.of(0, 1)), 0, [1])).toEqual(bool([1], Uint8Array.of(1)));
  });
  it('does not share memory', () => {
    expect(take(matrix, 0, [0, 1]).data.buffer).not.toBe(matrix.data.buffer);
  });
});

describe('range', () => {
  it('is the tensor itself where it is all of the axis', () => expect(range(matrix, 1, [0, 3])).toBe(matrix));
  it('shares memory on the outermost axis that is not 1', () => {
    const part = range(counted(1, 4, 2), 1, [1, 3]);
    expect(part).toEqual(float32([1, 2, 2], Float32Array.of(2, 3, 4, 5)));
    expect(range(matrix, 0, [1, 2]).data.buffer).toBe(matrix.data.buffer);
  });
  it('copies on an inner axis', () => {
    expect(range(matrix, 1, [1, 3])).toEqual(float32([2, 2], Float32Array.of(1, 2, 4, 5)));
  });
  it('may be empty', () => expect(range(matrix, 0, [1, 1])).toEqual(float32([0, 3], new Float32Array(0))));
});

describe('concat', () => {
  it('joins along the first and along an inner axis', () => {
    expect(concat([counted(1, 2), counted(2, 2)], 0)).toEqual(float32([3, 2], Float32Array.of(0, 1, 0, 1, 2, 3)));
    expect(concat([counted(2, 1), counted(2, 2)], 1)).toEqual(float32([2, 3], Float32Array.of(0, 0, 1, 1, 2, 3)));
  });
  it('passes over empty parts', () => {
    expect(concat([float32([2, 0], new Float32Array(0)), matrix], 1)).toEqual(matrix);
  });
  it('puts together what range took apart, on every axis', () => {
    const shape = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(shape, fc.nat(), fc.nat(), (extents, a, b) => {
        const tensor = counted(...extents);
        const axis = a % extents.length;
        const extent = extents[axis] ?? 1;
        const at = b % (extent + 1);
        expect(concat([range(tensor, axis, [0, at]), range(tensor, axis, [at, extent])], axis)).toEqual(tensor);
      }),
    );
  });
});
