/** The data of a tensor, or numbers made of it. */
export type Numbers = ArrayLike<number | bigint>;

/** How far a value is from another of the same size. */
export interface Difference {
  /** ‖a − b‖₂ / ‖a‖₂; Infinity where one has numbers that the other's are NaN or infinite. */
  readonly relative: number;
  /** max |a − b|, over pairs of finite numbers. */
  readonly largest: number;
  /** Of the two as vectors; NaN where one is all zero. */
  readonly cosine: number;
  /** How many numbers are NaN or infinite on each side. */
  readonly broken: readonly [number, number];
}

/** A masked score: as good as minus infinity, on either side. */
const isMasked = (x: number): boolean => x <= -1e30;

interface Sums {
  squares: number;
  other: number;
  product: number;
  apart: number;
  largest: number;
}

const add = (sums: Sums, x: number, y: number): void => {
  const d = Math.abs(x - y);
  sums.squares += x * x;
  sums.other += y * y;
  sums.product += x * y;
  sums.apart += d * d;
  if (d > sums.largest) sums.largest = d;
};

/**
 * Compares two values number by number; masked scores count as one and the same number, and where only one side is
 * masked the values are infinitely far apart.
 * @param a the reference
 * @param b of as many numbers as `a`
 */
export const difference = (
  a: Numbers,
  b: Numbers,
  { from = 0, to = a.length }: { readonly from?: number; readonly to?: number } = {},
): Difference => {
  const sums: Sums = { squares: 0, other: 0, product: 0, apart: 0, largest: 0 };
  let [brokenA, brokenB, unlike] = [0, 0, 0];
  for (let i = from; i < to; i++) {
    const [x, y] = [Number(a[i]), Number(b[i])];
    const [fineX, fineY] = [Number.isFinite(x), Number.isFinite(y)];
    if (isMasked(x) || isMasked(y)) unlike += isMasked(x) === isMasked(y) ? 0 : 1;
    else if (fineX && fineY) add(sums, x, y);
    else if (!Object.is(x, y)) unlike++;
    if (!fineX && !isMasked(x)) brokenA++;
    if (!fineY && !isMasked(y)) brokenB++;
  }
  const relative = sums.apart === 0 ? 0 : Math.sqrt(sums.apart / (sums.squares || sums.other));
  return {
    relative: unlike > 0 ? Infinity : relative,
    largest: sums.largest,
    cosine: sums.product / Math.sqrt(sums.squares * sums.other),
    broken: [brokenA, brokenB],
  };
};

/**
 * The relative difference of each slice along an axis.
 * @param a row-major, of shape `shape`
 */
export const differenceAlong = (
  [a, b]: readonly [Numbers, Numbers],
  shape: readonly number[],
  axis: number,
): readonly number[] => {
  const count = shape[axis] ?? 1;
  const inner = shape.slice(axis + 1).reduce((n, d) => n * d, 1);
  const outer = shape.slice(0, axis).reduce((n, d) => n * d, 1);
  return Array.from({ length: count }, (_, i) => {
    const parts = Array.from({ length: outer }, (_o, o) => (o * count + i) * inner);
    const all = parts.map((at) => difference(a, b, { from: at, to: at + inner }));
    if (all.some((d) => d.relative === Infinity)) return Infinity;
    const [x, y] = [new Float32Array(outer * inner), new Float32Array(outer * inner)];
    parts.forEach((at, o) => {
      for (let j = 0; j < inner; j++) [x[o * inner + j], y[o * inner + j]] = [Number(a[at + j]), Number(b[at + j])];
    });
    return difference(x, y).relative;
  });
};
