/** How often the work is given a chance to stop: after so many multiplications. */
const pieceOfWork = 2 ** 23;

/** Called now and then; throws to stop. */
export type OnPiece = () => void | Promise<void>;

/** Counts multiplications, and lets others in when many were done. */
const breather = (onPiece: OnPiece): ((work: number) => Promise<void> | undefined) => {
  let done = 0;
  return (work) => {
    done += work;
    if (done < pieceOfWork) return undefined;
    done = 0;
    return Promise.resolve(onPiece());
  };
};

/**
 * A·Aᵀ of a matrix's rows, in float64.
 * @param a [rows, columns]
 * @returns [rows, rows], both halves
 */
export const gram = async (a: Float32Array | Float64Array, rows: number, onPiece: OnPiece): Promise<Float64Array> => {
  const columns = a.length / Math.max(1, rows);
  const out = new Float64Array(rows * rows);
  const breathe = breather(onPiece);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let p = i * columns, q = j * columns, end = p + columns; p < end; p++, q++) sum += (a[p] ?? 0) * (a[q] ?? 0);
      out[i * rows + j] = sum;
      out[j * rows + i] = sum;
    }
    await breathe(i * columns);
  }
  return out;
};

/** A symmetric matrix with numbers on its diagonal and beside it alone. */
interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** `beside[i]` is between i and i − 1; the first is 0. */
  readonly beside: Float64Array;
}

/**
 * A symmetric matrix as a tridiagonal one with the same eigenvalues, by reflections. `a` is used up.
 * @source Householder 1958; Martin, Reinsch & Wilkinson 1968 (tred1)
 */
const tridiagonal = async (a: Float64Array, n: number, onPiece: OnPiece): Promise<Tridiagonal> => {
  const [diagonal, beside, p] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
  const breathe = breather(onPiece);
  for (let k = n - 1; k > 0; k--) {
    const row = a.subarray(k * n, k * n + k);
    const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
    const last = row[k - 1] ?? 0;
    diagonal[k] = a[k * n + k] ?? 0;
    beside[k] = last > 0 ? -length : length;
    const h = length * (length + Math.abs(last));
    if (h === 0) continue;
    row[k - 1] = last - (beside[k] ?? 0);
    reflect(a, { row, p, n, k, h });
    await breathe(2 * k * k);
  }
  diagonal[0] = a[0] ?? 0;
  return { diagonal, beside };
};

interface Reflection {
  /** [k] what is reflected at, unnormed; h is half its square. */
  readonly row: Float64Array;
  readonly p: Float64Array;
  readonly n: number;
  readonly k: number;
  readonly h: number;
}

/** A − u·qᵀ − q·uᵀ on the first k rows, with q = (A·u − (uᵀ·A·u / 2h)·u) / h. Only the lower half is kept. */
const reflect = (a: Float64Array, { row, p, n, k, h }: Reflection): void => {
  p.fill(0, 0, k);
  for (let i = 0; i < k; i++) {
    const [at, u] = [i * n, row[i] ?? 0];
    let sum = 0;
    for (let j = 0; j < i; j++) {
      const x = a[at + j] ?? 0;
      sum += x * (row[j] ?? 0);
      p[j] = (p[j] ?? 0) + x * u;
    }
    p[i] = (p[i] ?? 0) + sum + (a[at + i] ?? 0) * u;
  }
  let dot = 0;
  for (let i = 0; i < k; i++) dot += (p[i] ?? 0) * (row[i] ?? 0);
  const half = dot / (2 * h);
  for (let i = 0; i < k; i++) p[i] = ((p[i] ?? 0) - half * (row[i] ?? 0)) / h;
  for (let i = 0; i < k; i++) {
    const [at, u, q] = [i * n, row[i] ?? 0, p[i] ?? 0];
    for (let j = 0; j <= i; j++) a[at + j] = (a[at + j] ?? 0) - u * (p[j] ?? 0) - q * (row[j] ?? 0);
  }
};

/** Turns that a number may need before it stands still. */
const mostTurns = 60;

/**
 * The eigenvalues of a tridiagonal matrix, by QL steps with implicit shifts.
 * @source Dubrulle, Martin & Wilkinson 1968 (imtql1)
 */
const tridiagonalValues = ({ diagonal: d, beside }: Tridiagonal): Float64Array => {
  const n = d.length;
  const e = new Float64Array(n);
  e.set(beside.subarray(1));
  for (let l = 0; l < n; l++)
    for (let turn = 0; turn < mostTurns; turn++) {
      const m = firstSmall(d, e, l);
      if (m === l) break;
      step(d, e, [l, m]);
    }
  return d;
};

/** The first place from l on behind which nothing couples. */
const firstSmall = (d: Float64Array, e: Float64Array, l: number): number => {
  for (let m = l; m < d.length - 1; m++) {
    const scale = Math.abs(d[m] ?? 0) + Math.abs(d[m + 1] ?? 0);
    if (Math.abs(e[m] ?? 0) <= Number.EPSILON * scale) return m;
  }
  return d.length - 1;
};

/** One step on the part from l to m. */
const step = (d: Float64Array, e: Float64Array, [l, m]: readonly [number, number]): void => {
  let g = ((d[l + 1] ?? 0) - (d[l] ?? 0)) / (2 * (e[l] ?? 0));
  let r = Math.hypot(g, 1);
  g = (d[m] ?? 0) - (d[l] ?? 0) + (e[l] ?? 0) / (g + (g >= 0 ? r : -r));
  let [s, c, p] = [1, 1, 0];
  for (let i = m - 1; i >= l; i--) {
    const [f, b] = [s * (e[i] ?? 0), c * (e[i] ?? 0)];
    r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1] = (d[i + 1] ?? 0) - p;
      e[m] = 0;
      return;
    }
    [s, c] = [f / r, g / r];
    g = (d[i + 1] ?? 0) - p;
    r = ((d[i] ?? 0) - g) * s + 2 * c * b;
    p = s * r;
    d[i + 1] = g + p;
    g = c * r - b;
  }
  d[l] = (d[l] ?? 0) - p;
  e[l] = g;
  e[m] = 0;
};

/**
 * The eigenvalues of a symmetric matrix, the greatest first. `a` is used up.
 * @param a [n, n]
 */
export const symmetricValues = async (a: Float64Array, n: number, onPiece: OnPiece): Promise<Float64Array> =>
  tridiagonalValues(await tridiagonal(a, n, onPiece))
    .sort()
    .reverse();
