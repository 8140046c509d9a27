/** Numbers of a text's tokens, a row a token: embeddings, gradients by them. */
export interface Vectors {
  readonly rows: number;
  readonly width: number;
  /** [row, width] */
  readonly data: Float64Array;
}

export const vectors = (rows: number, width: number, data: Float64Array = new Float64Array(rows * width)): Vectors => ({
  ...{ rows, width, data },
});

/** Rows of numbers as vectors. */
export const fromRows = (rows: readonly (readonly number[])[]): Vectors =>
  vectors(rows.length, rows[0]?.length ?? 0, Float64Array.from(rows.flat()));

/** Number by number. */
export const combined = (a: Vectors, b: Vectors, by: (x: number, y: number) => number): Vectors =>
  vectors(
    a.rows,
    a.width,
    a.data.map((x, i) => by(x, b.data[i] ?? 0)),
  );

/** One number a row. */
export const perRow = ({ rows, width, data }: Vectors, of: (row: Float64Array) => number): readonly number[] =>
  Array.from({ length: rows }, (_, i) => of(data.subarray(i * width, (i + 1) * width)));

export const total = (numbers: Iterable<number>): number => {
  let sum = 0;
  for (const x of numbers) sum += x;
  return sum;
};

/** Σ over the numbers of each row. */
export const rowSums = (x: Vectors): readonly number[] => perRow(x, total);

/** The length of each row: √Σx². */
export const rowNorms = (x: Vectors): readonly number[] => perRow(x, (row) => Math.sqrt(total(row.map((v) => v * v))));
