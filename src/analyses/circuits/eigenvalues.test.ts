import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyingScore, eigenvalues, type Square } from './eigenvalues.js';

const square = (...rows: number[][]): Square => ({ size: rows.length, data: Float64Array.from(rows.flat()) });
const sorted = (m: Square) => [...eigenvalues(m)].sort((a, b) => a.re - b.re || a.im - b.im);

const trace = ({ size, data }: Square): number =>
  Array.from({ length: size }, (_, i) => data[i * size + i] ?? 0).reduce((a, b) => a + b, 0);

/** Tr(M²) = Σ λ². */
const traceOfSquare = ({ size, data }: Square): number => {
  let sum = 0;
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) sum += (data[i * size + j] ?? 0) * (data[j * size + i] ?? 0);
  return sum;
};

describe('eigenvalues', () => {
  it('are what small matrices have', () => {
    expect(sorted(square([2]))).toEqual([{ re: 2, im: 0 }]);
    expect(sorted(square([0, -1], [1, 0]))).toEqual([
      { re: 0, im: -1 },
      { re: 0, im: 1 },
    ]);
    const three = sorted(square([4, 1, -2], [1, 2, 0], [-2, 0, 3])).map((e) => e.re);
    const [a = 0, b = 0, c = 0] = three;
    expect(a * b * c).toBeCloseTo(13, 10);
    expect(sorted(square([0, 0, 1], [1, 0, 0], [0, 1, 0])).at(-1)?.re).toBeCloseTo(1, 12); // a permutation: roots of 1
  });

  it('sum to the trace, and their squares to that of the square', () => {
    const matrices = fc
      .integer({ min: 1, max: 12 })
      .chain((size) =>
        fc
          .array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: size * size, maxLength: size * size })
          .map((data): Square => ({ size, data: Float64Array.from(data) })),
      );
    fc.assert(
      fc.property(matrices, (m) => {
        const all = eigenvalues(m);
        expect(all).toHaveLength(m.size);
        expect(all.reduce((s, e) => s + e.re, 0)).toBeCloseTo(trace(m), 8);
        expect(all.reduce((s, e) => s + e.im, 0)).toBeCloseTo(0, 8);
        expect(all.reduce((s, e) => s + e.re ** 2 - e.im ** 2, 0)).toBeCloseTo(traceOfSquare(m), 6);
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  it('say how far a matrix copies', () => {
    expect(copyingScore(square([1, 0], [0, 2]))).toBe(1);
    expect(copyingScore(square([-1, 0], [0, -2]))).toBe(-1);
    expect(copyingScore(square([0, -1], [1, 0]))).toBeCloseTo(0, 12);
    expect(copyingScore(square([0, 0], [0, 0]))).toBe(0);
    expect(copyingScore(square([NaN, 0], [0, 1]))).toBeNaN();
  });
});
