import type { Looked } from '../../debugger/index.js';
import type { ViewAskOf } from '../../protocol/index.js';
import { float32, histogram, maxTile, statistics, toFloat32, type Tensor } from '../../tensor/index.js';
import type { HeldValue } from './held-values.js';

/** The level at which a matrix has at most so many pixels along a side. */
export const levelFor = (rows: number, columns: number, most: number): number =>
  Math.max(0, Math.ceil(Math.log2(Math.max(rows, columns, 1) / most)));

/** Rows and columns of a shape: its last two axes, or the last one as a row. */
export const matrixShape = (shape: readonly number[]): readonly [number, number] => [
  shape.at(-2) ?? 1,
  shape.at(-1) ?? 1,
];

/** Which matrix of a value the indices of its other axes name, counted from the first; those left out are 0. */
export const matrixNumber = (shape: readonly number[], at: readonly number[]): number =>
  shape.slice(0, -2).reduce((n, extent, axis) => n * extent + Math.min(extent - 1, at[axis] ?? 0), 0);

/** A number of JSON. */
export const finite = (x: number | undefined): number | null => (x !== undefined && Number.isFinite(x) ? x : null);

/** A matrix as pixels of a picture, and as the bytes that go with an answer. */
export const pixelsOf = (
  matrix: Tensor,
  most: number,
): Pick<Looked<'picture'>, 'pixels'> & { readonly bytes: Uint8Array } => {
  const [rows, columns] = matrixShape(matrix.shape);
  const level = levelFor(rows, columns, most);
  const image = maxTile(matrix, { level, tile: [0, 0], size: most, by: 'absmax' });
  const [high = 0, wide = 0] = image.shape;
  const { buffer, byteOffset, byteLength } = toFloat32(image);
  return {
    pixels: { rows: high, columns: wide, level },
    bytes: new Uint8Array(buffer, byteOffset, byteLength).slice(),
  };
};

const normOf = (data: Float32Array): number => {
  let sum = 0;
  for (const x of data) if (Number.isFinite(x)) sum += x * x;
  return Math.sqrt(sum);
};

/** A value that is here, at a glance. */
export const pictureOf = ({ tensor, axes }: HeldValue, { at, bins, most }: ViewAskOf<'picture'>): Looked<'picture'> => {
  const { min, max, mean, std, nan, inf } = statistics(tensor);
  const { low, high, counts } = histogram(tensor, { bins });
  const data = toFloat32(tensor);
  const [rows, columns] = matrixShape(tensor.shape);
  const from = matrixNumber(tensor.shape, at) * rows * columns;
  const matrix = float32([rows, columns], data.slice(from, from + rows * columns));
  const stats = { nan, inf, min: finite(min), max: finite(max), mean: finite(mean), std: finite(std) };
  return {
    ...{ axes: [...axes], shape: [...tensor.shape], dtype: tensor.dtype },
    stats: { ...stats, norm: finite(normOf(data)) },
    histogram: { low: finite(low), high: finite(high), counts: [...counts] },
    ...pixelsOf(matrix, most),
  };
};
