/** A matrix of numbers: rows look, columns are looked at. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
}

/** The one of two numbers that is farther from 0. */
const further = (a: number, b: number): number => (Math.abs(b) > Math.abs(a) ? b : a);

/** Blocks of numbers as a pixel each, so that at most `most` are left along a side. `isSigned`: by size, not the greatest. */
export const shrunk = (matrix: Matrix, most: number, isSigned = false): Matrix => {
  const each = Math.ceil(Math.max(matrix.rows, matrix.columns) / most);
  if (each <= 1) return matrix;
  const [rows, columns] = [Math.ceil(matrix.rows / each), Math.ceil(matrix.columns / each)];
  const data = new Float32Array(rows * columns).fill(isSigned ? 0 : -Infinity);
  for (let q = 0; q < matrix.rows; q++)
    for (let k = 0; k < matrix.columns; k++) {
      const at = Math.floor(q / each) * columns + Math.floor(k / each);
      const [before, x] = [data[at] ?? 0, matrix.data[q * matrix.columns + k] ?? 0];
      data[at] = isSigned ? further(before, x) : Math.max(before, x);
    }
  return { rows, columns, data };
};

/** Matrices that came one behind the other. */
export const matricesOf = (numbers: Float32Array, [count = 0, rows = 0, columns = 0]: readonly number[]): Matrix[] =>
  Array.from({ length: count }, (_, i) => ({
    ...{ rows, columns },
    data: numbers.subarray(i * rows * columns, (i + 1) * rows * columns),
  }));
