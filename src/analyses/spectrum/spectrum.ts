import { toFloat32, type Tensor } from '../../tensor/index.js';
import { gram, symmetricValues, type OnPiece } from './symmetric.js';

/** Of matrices whose shorter side is at most this, all singular values are computed: some seconds at the end of it. */
const mostWhole = 1280;
/** Of larger ones the greatest, so many, from so many more random directions, drawn in so many times. */
const greatest = 64;
const spare = 16;
const passes = 4;

export interface Spectrum {
  /** σ, the greatest first. */
  readonly values: Float64Array;
  /** The extent of the shorter side: how many there are. */
  readonly count: number;
  /** ‖A‖: the square root of the sum of all σ². */
  readonly norm: number;
}

/** The matrix with its shorter side as rows. */
const wide = (data: Float32Array, rows: number, columns: number): { a: Float32Array; rows: number } => {
  if (rows <= columns) return { a: data, rows };
  const a = new Float32Array(data.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) a[c * rows + r] = data[r * columns + c] ?? 0;
  return { a, rows: columns };
};

const roots = (values: Float64Array): Float64Array => values.map((x) => Math.sqrt(Math.max(0, x)));

/**
 * The singular values of a matrix: the roots of the eigenvalues of its smaller Gram matrix, in float64; those under about
 * 1e-8 of the greatest are rounding. Of a large matrix the greatest alone, from random directions.
 * @param matrix [rows, columns]; of more axes the last is the columns
 * @param onPiece called now and then; throws to stop
 */
export const spectrum = async (matrix: Tensor, onPiece: OnPiece = () => undefined): Promise<Spectrum> => {
  const data = toFloat32(matrix);
  const columns = matrix.shape.at(-1) ?? 1;
  const { a, rows } = wide(data, data.length / Math.max(1, columns), columns);
  const norm = Math.sqrt(data.reduce((sum, x) => sum + x * x, 0));
  if (rows > mostWhole) return { values: await leading(a, rows, onPiece), count: rows, norm };
  return { values: roots(await symmetricValues(await gram(a, rows, onPiece), rows, onPiece)), count: rows, norm };
};

/** A small generator of numbers in [-1, 1): Marsaglia's xorshift32 (2003). The same each time, so that a spectrum is too. */
const random = (): (() => number) => {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2 ** 31;
  };
};

/** Rows made orthonormal, each against those before it, twice. */
const orthonormal = (q: Float64Array, count: number): void => {
  const width = q.length / count;
  for (let i = 0; i < count; i++) {
    const row = q.subarray(i * width, (i + 1) * width);
    for (let again = 0; again < 2; again++)
      for (let j = 0; j < i; j++) {
        const other = q.subarray(j * width, (j + 1) * width);
        let dot = 0;
        for (let k = 0; k < width; k++) dot += (row[k] ?? 0) * (other[k] ?? 0);
        for (let k = 0; k < width; k++) row[k] = (row[k] ?? 0) - dot * (other[k] ?? 0);
      }
    const norm = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0)) || 1;
    for (let k = 0; k < width; k++) row[k] = (row[k] ?? 0) / norm;
  }
};

/** Q·A, then its product with Aᵀ, for rows Q. @param q [count, rows] @returns both */
const throughMatrix = async (
  a: Float32Array,
  q: Float64Array,
  { rows, onPiece }: { readonly rows: number; readonly onPiece: OnPiece },
): Promise<{ readonly onto: Float64Array; readonly back: Float64Array }> => {
  const columns = a.length / rows;
  const count = q.length / rows;
  const [onto, back] = [new Float64Array(count * columns), new Float64Array(count * rows)];
  for (let r = 0; r < rows; r++) {
    const row = a.subarray(r * columns, (r + 1) * columns);
    for (let i = 0; i < count; i++) {
      const x = q[i * rows + r] ?? 0;
      for (let c = 0, at = i * columns; c < columns; c++, at++) onto[at] = (onto[at] ?? 0) + x * (row[c] ?? 0);
    }
    if (r % 64 === 0) await onPiece();
  }
  for (let r = 0; r < rows; r++) {
    const row = a.subarray(r * columns, (r + 1) * columns);
    for (let i = 0; i < count; i++) {
      let sum = 0;
      for (let c = 0, at = i * columns; c < columns; c++, at++) sum += (onto[at] ?? 0) * (row[c] ?? 0);
      back[i * rows + r] = sum;
    }
    if (r % 64 === 0) await onPiece();
  }
  return { onto, back };
};

/**
 * The greatest singular values of a large matrix, by subspace iteration from random directions.
 * @source Halko, Martinsson & Tropp 2011, "Finding structure with randomness", algorithm 4.4
 */
const leading = async (a: Float32Array, rows: number, onPiece: OnPiece): Promise<Float64Array> => {
  const draw = random();
  const count = greatest + spare;
  let q = Float64Array.from({ length: count * rows }, draw);
  for (let pass = 0; pass < passes; pass++) {
    orthonormal(q, count);
    q = (await throughMatrix(a, q, { rows, onPiece })).back as Float64Array<ArrayBuffer>;
  }
  orthonormal(q, count);
  const { onto } = await throughMatrix(a, q, { rows, onPiece });
  const small = await gram(onto, count, onPiece);
  return roots(await symmetricValues(small, count, onPiece)).subarray(0, greatest);
};
