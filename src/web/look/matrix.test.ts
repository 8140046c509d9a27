import { describe, expect, it } from 'vitest';
import { shrunk } from './matrix.js';

const matrix = { rows: 2, columns: 4, data: new Float32Array([0, 1, -5, 2, 0, 3, 1, 0]) };

describe('a matrix that is made smaller', () => {
  it('shows the greatest number of each block', () => {
    expect([...shrunk(matrix, 2).data]).toEqual([3, 2]);
  });

  it('of differences shows the one farthest from 0, so that no fall is lost', () => {
    expect([...shrunk(matrix, 2, true).data]).toEqual([3, -5]);
  });

  it('stays as it is where it is small', () => {
    expect(shrunk(matrix, 4)).toBe(matrix);
  });
});
