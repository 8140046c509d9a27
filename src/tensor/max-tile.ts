import { float64, type Tensor } from './tensor.js';

export interface TileOptions {
  /** A pixel stands for 2^level x 2^level numbers. */
  readonly level: number;
  /** Row and column of the tile among the tiles of its level. */
  readonly tile: readonly [number, number];
  /** Pixels of a whole tile along each side. */
  readonly size: number;
  /** The greatest number, or, with its sign, the one farthest from 0. */
  readonly by: 'max' | 'absmax';
}

/** How many pixels a level has along a side. */
export const pixelsAt = (extent: number, level: number): number => Math.ceil(extent / 2 ** level);

/** Levels of the pyramid; the last is one pixel. */
export const levelsOf = (rows: number, columns: number): number => 1 + Math.ceil(Math.log2(Math.max(rows, columns, 1)));

/** First and end (exclusive) of a tile's pixels, inside the image. */
const pixelsIn = (tile: number, size: number, pixels: number): readonly [number, number] => [
  Math.min(tile * size, pixels),
  Math.min((tile + 1) * size, pixels),
];

type Numbers = { readonly [i: number]: number };

/** The greatest of a stretch of numbers and one more, or the one farthest from 0; NaN where one of them is. */
const farthest = (
  data: Numbers,
  [from, end]: readonly [number, number],
  { from: start, by }: { readonly from: number; readonly by: TileOptions['by'] },
): number => {
  let held = start;
  for (let i = from; i < end; i++) {
    const x = data[i] ?? NaN;
    if (x !== x) return NaN;
    if (by === 'max' ? x > held : Math.abs(x) > Math.abs(held)) held = x;
  }
  return held;
};

/**
 * A tile of the down-sampled image of a matrix. A pixel over a NaN is NaN: what is broken must not vanish.
 * @param matrix [rows, columns]
 * @returns [rows, columns] of the tile, float64; smaller at the edges, empty outside
 */
export const maxTile = (matrix: Tensor, { level, tile, size, by }: TileOptions): Tensor<'float64'> => {
  const [rows = 0, columns = 0] = matrix.shape;
  const cell = 2 ** level;
  const [top, bottom] = pixelsIn(tile[0], size, pixelsAt(rows, level));
  const [left, right] = pixelsIn(tile[1], size, pixelsAt(columns, level));
  const out = new Float64Array((bottom - top) * (right - left)).fill(by === 'max' ? -Infinity : 0);
  const rowEnd = Math.min(rows, bottom * cell);
  const columnEnd = Math.min(columns, right * cell);
  const data = matrix.data instanceof BigInt64Array ? Float64Array.from(matrix.data, Number) : matrix.data;
  for (let r = top * cell; r < rowEnd; r++) {
    const line = (Math.floor(r / cell) - top) * (right - left);
    for (let p = 0; p < right - left; p++) {
      const from = r * columns + (left + p) * cell;
      const end = r * columns + Math.min(columnEnd, (left + p + 1) * cell);
      out[line + p] = farthest(data, [from, end], { from: out[line + p] ?? 0, by });
    }
  }
  return float64([bottom - top, right - left], out);
};
