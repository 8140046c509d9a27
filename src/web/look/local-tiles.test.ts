import { describe, expect, it } from 'vitest';
import { tileOf } from './local-tiles.js';

const matrix = { rows: 3, columns: 300, data: Float32Array.from({ length: 900 }, (_, i) => (i % 7) - 5) };

describe('tiles of a matrix that is here', () => {
  it('are cut from it', () => {
    const tile = tileOf(matrix, { level: 0, row: 0, column: 1 });
    expect([tile.rows, tile.columns]).toEqual([3, 44]);
    expect(tile.data[44]).toBe(matrix.data[300 + 256]);
  });

  it('from afar have what is farthest from 0, of either sign, and nothing where nothing is', () => {
    const one = { rows: 2, columns: 4, data: new Float32Array([1, -3, NaN, -Infinity, 2, 0, NaN, -Infinity]) };
    expect([...tileOf(one, { level: 1, row: 0, column: 0 }).data]).toEqual([-3, -Infinity]);
  });
});
