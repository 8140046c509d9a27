/** A square matrix, row after row. */
export interface Square {
  readonly size: number;
  readonly data: Float64Array;
}

export interface Complex {
  readonly re: number;
  readonly im: number;
}

/** Rows of the matrix, to be worked on. */
const rowsOf = ({ size, data }: Square): Float64Array[] =>
  Array.from({ length: size }, (_, i) => data.slice(i * size, (i + 1) * size));

const cell = (rows: readonly Float64Array[], i: number, j: number): number => rows[i]?.[j] ?? 0;

const put = (rows: readonly Float64Array[], [i, j]: readonly [number, number], x: number): void => {
  const row = rows[i];
  if (row) row[j] = x;
};

/** Makes a similar matrix that is 0 below its first subdiagonal, by Householder's reflections. */
const toHessenberg = (a: Float64Array[], n: number): void => {
  for (let k = 0; k < n - 2; k++) {
    const v = new Float64Array(n);
    let norm = 0;
    for (let i = k + 1; i < n; i++) norm += (v[i] = cell(a, i, k)) ** 2;
    norm = Math.sqrt(norm);
    if (norm === 0) continue;
    const head = v[k + 1] ?? 0;
    v[k + 1] = head + (head < 0 ? -norm : norm);
    const square = v.reduce((sum, x) => sum + x * x, 0);
    if (square === 0) continue;
    for (let j = k; j < n; j++) {
      let s = 0;
      for (let i = k + 1; i < n; i++) s += (v[i] ?? 0) * cell(a, i, j);
      s *= 2 / square;
      for (let i = k + 1; i < n; i++) put(a, [i, j], cell(a, i, j) - s * (v[i] ?? 0));
    }
    for (let i = 0; i < n; i++) {
      const row = a[i] ?? v;
      let s = 0;
      for (let j = k + 1; j < n; j++) s += (row[j] ?? 0) * (v[j] ?? 0);
      s *= 2 / square;
      for (let j = k + 1; j < n; j++) row[j] = (row[j] ?? 0) - s * (v[j] ?? 0);
    }
  }
};

/** Eigenvalues of [[a, b], [c, d]]. */
const ofTwo = (a: number, b: number, [c, d]: readonly [number, number]): readonly [Complex, Complex] => {
  const [half, product] = [(a + d) / 2, a * d - b * c];
  const under = half * half - product;
  if (under < 0) {
    const im = Math.sqrt(-under);
    return [
      { re: half, im },
      { re: half, im: -im },
    ];
  }
  const large = half + (half < 0 ? -1 : 1) * Math.sqrt(under);
  return [
    { re: large, im: 0 },
    { re: large === 0 ? 0 : product / large, im: 0 },
  ];
};

/** One step of Francis on rows and columns `low` to `high`, with two shifts at once. */
const francis = (
  h: Float64Array[],
  n: number,
  { low, high, odd }: { low: number; high: number; odd: boolean },
): void => {
  const m = high - 1;
  const edge = Math.abs(cell(h, high, m)) + Math.abs(cell(h, m, Math.max(low, m - 1)));
  const last = cell(h, high, high);
  const sum = odd ? 2 * last + 1.5 * edge : cell(h, m, m) + cell(h, high, high);
  const product = odd
    ? last * last + 1.5 * edge * last + edge * edge
    : cell(h, m, m) * cell(h, high, high) - cell(h, m, high) * cell(h, high, m);
  let x = cell(h, low, low) ** 2 + cell(h, low, low + 1) * cell(h, low + 1, low) - sum * cell(h, low, low) + product;
  let y = cell(h, low + 1, low) * (cell(h, low, low) + cell(h, low + 1, low + 1) - sum);
  let z = low + 2 <= high ? cell(h, low + 1, low) * cell(h, low + 2, low + 1) : 0;
  for (let k = low; k < high; k++) {
    const count = Math.min(3, high - k + 1);
    reflect(h, n, { k, low, high, vector: [x, y, count > 2 ? z : 0] });
    x = cell(h, k + 1, k);
    y = cell(h, k + 2, k);
    z = k + 3 <= high ? cell(h, k + 3, k) : 0;
  }
};

interface Reflection {
  readonly k: number;
  readonly low: number;
  readonly high: number;
  readonly vector: readonly [number, number, number];
}

/** The reflection that takes a vector to its first axis, on both sides of rows and columns k to k + 2. */
const reflect = (h: Float64Array[], n: number, { k, low, high, vector }: Reflection): void => {
  const norm = Math.hypot(...vector);
  if (norm === 0) return;
  const v = [vector[0] + (vector[0] < 0 ? -norm : norm), vector[1], vector[2]];
  const square = v.reduce((sum, x) => sum + x * x, 0);
  if (square === 0) return;
  const count = Math.min(3, high - k + 1);
  for (let j = Math.max(0, Math.max(low, k) - 1); j < n; j++) {
    let s = 0;
    for (let i = 0; i < count; i++) s += (v[i] ?? 0) * cell(h, k + i, j);
    s *= 2 / square;
    for (let i = 0; i < count; i++) put(h, [k + i, j], cell(h, k + i, j) - s * (v[i] ?? 0));
  }
  for (let i = 0; i <= Math.min(high, k + 3); i++) {
    let s = 0;
    for (let j = 0; j < count; j++) s += (v[j] ?? 0) * cell(h, i, k + j);
    s *= 2 / square;
    for (let j = 0; j < count; j++) put(h, [i, k + j], cell(h, i, k + j) - s * (v[j] ?? 0));
  }
};

const mostSteps = 300;
/** Of the largest number: what is below on the diagonal counts as this when a number beside it is taken for 0. */
const least = 1;
/** Of the largest number: what is smaller counts as 0, so that squares do not vanish. */
const tiny = 1e-100;

/**
 * The eigenvalues of a real matrix: Householder's Hessenberg form, then the double-shift QR algorithm.
 * @returns in no order; NaN for all where it does not converge, or a number is not finite
 * @source Golub & Van Loan, Matrix Computations, 4th ed., §7.4–7.5
 */
export const eigenvalues = (matrix: Square): readonly Complex[] => {
  const n = matrix.size;
  const failed = (): readonly Complex[] => Array.from({ length: n }, () => ({ re: NaN, im: NaN }));
  if (!matrix.data.every(Number.isFinite)) return failed();
  const scale = matrix.data.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  if (scale === 0) return failed().map(() => ({ re: 0, im: 0 }));
  const h = rowsOf({ size: n, data: matrix.data.map((x) => (Math.abs(x) > tiny * scale ? x / scale : 0)) });
  toHessenberg(h, n);
  const found: Complex[] = [];
  let [high, steps] = [n - 1, 0];
  while (high >= 0) {
    let low = high;
    while (low > 0) {
      const near = Math.abs(cell(h, low, low)) + Math.abs(cell(h, low - 1, low - 1));
      if (Math.abs(cell(h, low, low - 1)) <= Number.EPSILON * Math.max(near, least)) break;
      low--;
    }
    if (low > 0) put(h, [low, low - 1], 0);
    if (low === high) found.push({ re: cell(h, high, high), im: 0 });
    else if (low === high - 1)
      found.push(...ofTwo(cell(h, low, low), cell(h, low, high), [cell(h, high, low), cell(h, high, high)]));
    if (low >= high - 1) {
      high = low - 1;
      steps = 0;
      continue;
    }
    if (++steps > mostSteps) return failed();
    francis(h, n, { low, high, odd: steps % 11 === 10 });
    for (let i = low + 2; i <= high; i++) for (let j = low; j < i - 1; j++) put(h, [i, j], 0);
  }
  return found.map(({ re, im }) => ({ re: re * scale, im: im * scale }));
};

/**
 * How far a matrix copies rather than takes away: Σ Re λ / Σ |λ|, from −1 to 1; 0 where all eigenvalues are 0.
 * @source Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits", summarising OV/QK matrices
 */
export const copyingScore = (matrix: Square): number => {
  const all = eigenvalues(matrix);
  const size = all.reduce((sum, { re, im }) => sum + Math.hypot(re, im), 0);
  return size === 0 ? 0 : all.reduce((sum, { re }) => sum + re, 0) / size;
};
