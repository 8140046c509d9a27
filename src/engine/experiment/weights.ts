import type { Tensor } from '../../tensor/index.js';

/** Which rows and columns of a weight are meant, in the file's own layout; left out: all. Lists are sorted. */
export interface Region {
  readonly rows?: readonly number[];
  readonly columns?: readonly number[];
}

export type Assignment = '=' | '*=' | '+=';

const assigned: Readonly<Record<Assignment, (old: number, by: number) => number>> = {
  '=': (_, by) => by,
  '*=': (old, by) => old * by,
  '+=': (old, by) => old + by,
};

const all = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Rows and columns of a weight of one or two axes; one axis is a single row. */
const planeOf = (shape: readonly number[]): readonly [number, number] =>
  shape.length === 2 ? [shape[0] ?? 1, shape[1] ?? 1] : [1, shape.reduce((a, b) => a * b, 1)];

const copyOf = (tensor: Tensor<'float32'>, change: (data: Float32Array) => void): Tensor<'float32'> => {
  const data = Float32Array.from(tensor.data);
  change(data);
  return { ...tensor, data };
};

/** A copy with the numbers of a region assigned, in float32. */
export const assignRegion = (
  tensor: Tensor<'float32'>,
  region: Region,
  { op, value }: { readonly op: Assignment; readonly value: number },
): Tensor<'float32'> => {
  const [rows, columns] = planeOf(tensor.shape);
  const change = assigned[op];
  return copyOf(tensor, (data) => {
    const inRow = region.columns ?? all(columns);
    for (const r of region.rows ?? all(rows))
      for (const c of inRow) data[r * columns + c] = change(data[r * columns + c] ?? 0, value);
  });
};

/** A copy with `by · outer(rowVector, columnVector)` added, in float32. */
export const addOuter = (
  tensor: Tensor<'float32'>,
  { by, row, column }: { readonly by: number; readonly row: Float32Array; readonly column: Float32Array },
): Tensor<'float32'> =>
  copyOf(tensor, (data) => {
    row.forEach((r, i) => {
      const factor = by * r;
      const start = i * column.length;
      for (let j = 0; j < column.length; j++) data[start + j] = (data[start + j] ?? 0) + factor * (column[j] ?? 0);
    });
  });
