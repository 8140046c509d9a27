import type { Matrix } from './matrix.js';
import { tileSize, type FetchTile, type TileAt } from './tiles.js';

/** The number of a block that is farthest from 0; what is no finite number counts as nothing. */
const farthest = (matrix: Matrix, at: { row: number; column: number; each: number }): number => {
  let most = -Infinity;
  for (let row = at.row; row < Math.min(matrix.rows, at.row + at.each); row++)
    for (let column = at.column; column < Math.min(matrix.columns, at.column + at.each); column++) {
      const x = matrix.data[row * matrix.columns + column] ?? -Infinity;
      if (Number.isFinite(x) && (most === -Infinity || Math.abs(x) > Math.abs(most))) most = x;
    }
  return most;
};

/** A tile of a matrix that is here already: each pixel the number farthest from 0 of those under it. */
export const tileOf = (matrix: Matrix, { level, row, column }: TileAt): Matrix => {
  const each = 2 ** level;
  const [top, left] = [row * tileSize * each, column * tileSize * each];
  const extent = (all: number, from: number): number => Math.max(0, Math.min(tileSize, Math.ceil((all - from) / each)));
  const [rows, columns] = [extent(matrix.rows, top), extent(matrix.columns, left)];
  const data = Float32Array.from({ length: rows * columns }, (_, i) =>
    farthest(matrix, { row: top + Math.floor(i / columns) * each, column: left + (i % columns) * each, each }),
  );
  return { rows, columns, data };
};

/** For pictures of a matrix that is here already. */
export const localTiles =
  (matrix: Matrix): FetchTile =>
  (tile) =>
    Promise.resolve(tileOf(matrix, tile));
