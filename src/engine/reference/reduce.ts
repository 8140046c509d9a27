import type { Tensor } from '../../tensor/index.js';
import { failed, floatOperand, operand, zeros, type Kernel } from './kernel.js';
import { around } from './places.js';

interface Along {
  readonly axis: number;
}

/** Calls `row` with the offsets of each row along an axis, and with the offset of what it is reduced to. */
const eachRow = ({ shape }: Tensor, axis: number, row: (offsets: readonly number[], to: number) => void): void => {
  const { outer, extent, inner } = around(shape, axis);
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++)
      row(
        Array.from({ length: extent }, (_, e) => (o * extent + e) * inner + i),
        o * inner + i,
      );
};

/** Reduces each row along the axis, which stays with extent 1. Computed in float64; storing rounds. */
const reduction =
  (ofNumbers: (row: readonly number[]) => number, ofIntegers: (row: readonly bigint[]) => bigint): Kernel<Along> =>
  ({ axis }, inputs) => {
    const x = operand(inputs, 0);
    if (x.dtype === 'bool') throw failed('a reduction of truth values');
    const y = zeros(
      x.dtype,
      x.shape.map((n, i) => (i === axis ? 1 : n)),
    );
    eachRow(x, axis, (offsets, to) => {
      if (x.dtype === 'int64' && y.dtype === 'int64') y.data[to] = ofIntegers(offsets.map((o) => x.data[o] ?? 0n));
      else if (x.dtype !== 'int64' && y.dtype !== 'int64') y.data[to] = ofNumbers(offsets.map((o) => x.data[o] ?? 0));
    });
    return y;
  };

const total = (row: readonly number[]): number => row.reduce((a, b) => a + b, 0);
const integerTotal = (row: readonly bigint[]): bigint => row.reduce((a, b) => a + b, 0n);
const [lowest, highest] = [-(2n ** 63n), 2n ** 63n - 1n];

/** Of nothing: 0. */
export const reduceSum = reduction(total, integerTotal);
/** Of nothing: NaN; of integers: towards zero. */
export const reduceMean = reduction(
  (row) => total(row) / row.length,
  (row) => {
    if (row.length === 0) throw failed('the mean of no integers');
    return integerTotal(row) / BigInt(row.length);
  },
);
/** Of nothing: −∞; NaN wins. */
export const reduceMax = reduction(
  (row) => row.reduce((a, b) => Math.max(a, b), -Infinity),
  (row) => row.reduce((a, b) => (b > a ? b : a), lowest),
);
/** Of nothing: ∞; NaN wins. */
export const reduceMin = reduction(
  (row) => row.reduce((a, b) => Math.min(a, b), Infinity),
  (row) => row.reduce((a, b) => (b < a ? b : a), highest),
);

/** e^(xᵢ − max x) / Σ e^(xⱼ − max x), so that nothing overflows. A row of −∞ alone gives NaN, as IEEE has it. */
export const softmax: Kernel<Along> = ({ axis }, inputs) => {
  const x = floatOperand(inputs, 0);
  const y = zeros(x.dtype, x.shape);
  eachRow(x, axis, (offsets) => {
    const row = offsets.map((o) => x.data[o] ?? 0);
    const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
    const powers = row.map((value) => Math.exp(value - largest));
    const sum = total(powers);
    offsets.forEach((o, i) => (y.data[o] = (powers[i] ?? 0) / sum));
  });
  return y;
};

/** Places of the largest numbers of each row, the largest first; of equal ones the earlier first; NaN counts as largest. */
export const topK: Kernel<{ readonly k: number }> = ({ k }, inputs) => {
  const x = floatOperand(inputs, 0);
  const y = zeros('int64', [...x.shape.slice(0, -1), k]);
  const rank = (value: number): number => (Number.isNaN(value) ? Infinity : value);
  let at = 0;
  eachRow(x, x.shape.length - 1, (offsets) => {
    const row = offsets.map((o) => x.data[o] ?? 0);
    const order = row.map((_, i) => i).sort((a, b) => rank(row[b] ?? 0) - rank(row[a] ?? 0) || a - b);
    for (const place of order.slice(0, k)) y.data[at++] = BigInt(place);
  });
  return y;
};
