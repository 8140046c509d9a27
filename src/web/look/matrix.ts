/** A matrix of numbers: rows look, columns are looked at. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
}

/** The greatest of blocks of numbers, so that at most `most` pixels are left along a side. */
export const shrunk = (matrix: Matrix, most: number): Matrix => {
  const each = Math.ceil(Math.max(matrix.rows, matrix.columns) / most);
  if (each <= 1) return matrix;
  const [rows, columns] = [Math.ceil(matrix.rows / each), Math.ceil(matrix.columns / each)];
  const data = new Float32Array(rows * columns).fill(-Infinity);
  for (let q = 0; q < matrix.rows; q++)
    for (let k = 0; k < matrix.columns; k++) {
      const at = Math.floor(q / each) * columns + Math.floor(k / each);
      data[at] = Math.max(data[at] ?? 0, matrix.data[q * matrix.columns + k] ?? 0);
    }
  return { rows, columns, data };
};

/** Matrices that came one behind the other. */
export const matricesOf = (numbers: Float32Array, [count = 0, rows = 0, columns = 0]: readonly number[]): Matrix[] =>
  Array.from({ length: count }, (_, i) => ({
    ...{ rows, columns },
    data: numbers.subarray(i * rows * columns, (i + 1) * rows * columns),
  }));
