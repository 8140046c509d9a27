import { float32, type Tensor } from '../../tensor/index.js';

/** A matrix [rows, columns], row after row. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
}

/** What a head reads and writes with, of the stream: q, k and v from it [model, headDim], and o into it [headDim, model]. */
export interface HeadMatrices {
  readonly q: Matrix;
  readonly k: Matrix;
  readonly v: Matrix;
  readonly o: Matrix;
}

/** How a later head reads what an earlier one wrote. */
export const compositions = ['Q', 'K', 'V'] as const;
export type Composition = (typeof compositions)[number];

/** WᵀW of [rows, columns]. */
const gram = ({ rows, columns, data }: Matrix): Float64Array => {
  const g = new Float64Array(columns * columns);
  for (let r = 0; r < rows; r++) {
    const row = data.subarray(r * columns, (r + 1) * columns);
    for (let i = 0; i < columns; i++) {
      const x = row[i] ?? 0;
      if (x !== 0) for (let j = 0; j <= i; j++) g[i * columns + j] = (g[i * columns + j] ?? 0) + x * (row[j] ?? 0);
    }
  }
  return g;
};

/** L with L Lᵀ = G, lower triangular; columns of no length stay 0. Cholesky. */
const lower = (g: Float64Array, n: number): Float64Array => {
  const l = new Float64Array(n * n);
  const largest = Array.from({ length: n }, (_, i) => g[i * n + i] ?? 0).reduce((a, b) => Math.max(a, b), 0);
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = g[i * n + j] ?? 0;
      for (let k = 0; k < j; k++) sum -= (l[i * n + k] ?? 0) * (l[j * n + k] ?? 0);
      if (i === j) l[j * n + j] = sum > 1e-14 * largest ? Math.sqrt(sum) : 0;
      else l[i * n + j] = (l[j * n + j] ?? 0) === 0 ? 0 : sum / (l[j * n + j] ?? 1);
    }
  }
  return l;
};

export const transposed = ({ rows, columns, data }: Matrix): Matrix => {
  const turned = new Float32Array(data.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) turned[c * rows + r] = data[r * columns + c] ?? 0;
  return { rows: columns, columns: rows, data: turned };
};

/** X · L, for L lower triangular. */
const timesLower = ({ rows, columns, data }: Matrix, l: Float64Array): Matrix => {
  const made = new Float32Array(data.length);
  for (let r = 0; r < rows; r++)
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let k = j; k < columns; k++) sum += (data[r * columns + k] ?? 0) * (l[k * columns + j] ?? 0);
      made[r * columns + j] = sum;
    }
  return { rows, columns, data: made };
};

/**
 * A matrix [model, headDim] that, times anything, has the norm of the whole factored matrix first · secondᵀ times it:
 * a factor of orthonormal columns changes no norm.
 */
const core = (first: Matrix, second: Matrix): Matrix => timesLower(first, lower(gram(second), second.columns));

/** What is needed of a head to tell how it composes with others: cores of its OV and QK circuits, [model, headDim] each. */
export interface HeadCores {
  /** Of what it writes: Wᵥ W_O, seen from the output. */
  readonly written: Matrix;
  /** Of what it reads: by its queries, keys, values. */
  readonly read: Readonly<Record<Composition, Matrix>>;
}

export const headCores = ({ q, k, v, o }: HeadMatrices): HeadCores => {
  const out = transposed(o);
  return { written: core(out, v), read: { Q: core(q, k), K: core(k, q), V: core(v, out) } };
};

export const frobenius = (data: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += (data[i] ?? 0) ** 2;
  return Math.sqrt(sum);
};

/** Cores of a layer's heads side by side, as a product's operand: [model, head · headDim]. */
export const sideBySide = (cores: readonly Matrix[]): Tensor<'float32'> => {
  const [rows, columns] = [cores[0]?.rows ?? 0, cores[0]?.columns ?? 0];
  const data = new Float32Array(rows * columns * cores.length);
  cores.forEach((c, h) => {
    for (let r = 0; r < rows; r++)
      data.set(c.data.subarray(r * columns, (r + 1) * columns), (r * cores.length + h) * columns);
  });
  return float32([rows, columns * cores.length], data);
};

/**
 * Composition scores of all heads of two layers, from one product of their cores: ‖A B‖ / (‖A‖ ‖B‖), where A writes and
 * B reads.
 * @param product [early head · headDim, late head · headDim]
 * @returns [early head][late head]
 * @source Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits": Q-, K- and V-composition
 */
export const compositionScores = (
  product: Tensor<'float32'>,
  early: readonly Matrix[],
  late: readonly Matrix[],
): readonly (readonly number[])[] => {
  const width = product.shape[1] ?? 0;
  const [rows, columns] = [early[0]?.columns ?? 0, late[0]?.columns ?? 0];
  return early.map((a, i) =>
    late.map((b, j) => {
      let sum = 0;
      for (let r = i * rows; r < (i + 1) * rows; r++)
        for (let c = j * columns; c < (j + 1) * columns; c++) sum += (product.data[r * width + c] ?? 0) ** 2;
      const norms = frobenius(a.data) * frobenius(b.data);
      return norms === 0 ? 0 : Math.sqrt(sum) / norms;
    }),
  );
};
