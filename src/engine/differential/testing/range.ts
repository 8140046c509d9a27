import type { OpAttrs, OpName, OpTable } from '../../../graph/index.js';

/**
 * What is known of a value before it is computed: bounds of its exact elements, and how far a computation in float32
 * may be from them. `error` 0 means equal bits in every precision.
 */
export interface Range {
  readonly low: number;
  readonly high: number;
  readonly error: number;
}

/** An operand: its range, and its shape in numbers. */
export interface Operand {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly range: Range;
}

/** Half the distance from 1 to the next float32: the relative error of one rounding. */
const unit = 2 ** -24;
/** Errors of float32's exp, tanh, erf and their kin in vectorised libraries, in roundings: a few ulp. */
const functionError = 16 * unit;

/** Beyond these, rounding differences could grow larger than what a mistake would show. */
const [largest, loosest] = [1e4, 2e-3];

export const magnitude = ({ low, high }: Range): number => Math.max(Math.abs(low), Math.abs(high));
const exact = (low: number, high: number): Range => ({ low, high, error: 0 });
const refused = undefined;
type Row = Range | undefined;

/** Distance of the range from 0, its error taken off; 0 where it contains 0. */
const fromZero = ({ low, high, error }: Range): number => Math.max(low - error, -high - error, 0);

const integers = (operands: readonly Operand[]): boolean => operands.every((o) => o.dtype === 'int64');
const truths = (operands: readonly Operand[]): boolean => operands.every((o) => o.dtype === 'bool');
const floats = (operands: readonly Operand[]): boolean => operands.every((o) => o.dtype === 'float32');

const first = (operands: readonly Operand[]): Operand => {
  const [operand] = operands;
  if (!operand) throw new Error('no operand');
  return operand;
};
const second = (operands: readonly Operand[]): Operand => first(operands.slice(1));

type RangeRow = (attrs: object, operands: readonly Operand[]) => Row;

/** A function of one number that rises: its bounds are those of its operand. `slope` bounds its derivative. */
const rising =
  (f: (x: number) => number, slope: (x: Range) => number | undefined): RangeRow =>
  (_, operands) => {
    const { range } = first(operands);
    const steepest = slope(range);
    if (!floats(operands) || steepest === undefined) return refused;
    const [low, high] = [f(range.low), f(range.high)];
    return { low, high, error: steepest * range.error + functionError * (1 + Math.max(Math.abs(low), Math.abs(high))) };
  };

const corners = (a: Range, b: Range, f: (x: number, y: number) => number): readonly [number, number] => {
  const all = [f(a.low, b.low), f(a.low, b.high), f(a.high, b.low), f(a.high, b.high)];
  return [Math.min(...all), Math.max(...all)];
};

/** Arithmetic on two numbers: exact for integers, one rounding more for others. */
const arithmetic =
  (f: (x: number, y: number) => number, spread: (a: Range, b: Range) => number): RangeRow =>
  (_, operands) => {
    const [a, b] = [first(operands).range, second(operands).range];
    const [low, high] = corners(a, b, f);
    if (integers(operands)) return exact(low, high);
    if (!floats(operands)) return refused;
    return { low, high, error: spread(a, b) * (1 + 1e-6) + 2 * unit * Math.max(Math.abs(low), Math.abs(high)) };
  };

const sumError = (a: Range, b: Range): number => a.error + b.error;
const productError = (a: Range, b: Range): number =>
  a.error * magnitude(b) + b.error * magnitude(a) + a.error * b.error;

const quotient: RangeRow = (attrs, operands) => {
  const [a, b] = [first(operands).range, second(operands).range];
  const least = fromZero(b);
  if (integers(operands)) return least >= 1 ? exact(-magnitude(a), magnitude(a)) : refused;
  if (least < 0.1) return refused;
  return arithmetic(
    (x, y) => x / y,
    () => (a.error + (b.error * magnitude(a)) / least) / least,
  )(attrs, operands);
};

/** a^b, of a > 0, as e^(b · ln a); of integers, small powers. */
const power: RangeRow = (_, operands) => {
  const [a, b] = [first(operands).range, second(operands).range];
  if (integers(operands))
    return b.low >= 0 && b.high <= 3 ? exact(-(magnitude(a) ** 3), magnitude(a) ** 3 + 1) : refused;
  if (!floats(operands) || a.low - a.error < 0.2 || magnitude(b) > 3) return refused;
  const [low, high] = corners(a, b, Math.pow);
  const steepest = Math.max(Math.abs(Math.log(a.low)), Math.abs(Math.log(a.high)));
  const inExponent = (magnitude(b) * a.error) / (a.low - a.error) + steepest * b.error;
  return { low, high, error: high * (Math.expm1(inExponent) + functionError) };
};

const extreme =
  (f: (...numbers: number[]) => number): RangeRow =>
  (_, operands) => {
    if (truths(operands.slice(0, 1))) return refused;
    const ranges = operands.map((o) => o.range);
    return {
      low: f(...ranges.map((r) => r.low)),
      high: f(...ranges.map((r) => r.high)),
      error: Math.max(...ranges.map((r) => r.error)),
    };
  };

/** A comparison of numbers that differ between precisions has no one answer. */
const comparison: RangeRow = (_, operands) =>
  operands.every((o) => o.range.error === 0) && !truths(operands) ? exact(0, 1) : refused;
const logic: RangeRow = (_, operands) => (truths(operands) ? exact(0, 1) : refused);

const union = (ranges: readonly Range[]): Range => ({
  low: Math.min(...ranges.map((r) => r.low)),
  high: Math.max(...ranges.map((r) => r.high)),
  error: Math.max(...ranges.map((r) => r.error)),
});

const kept: RangeRow = (_, operands) => first(operands).range;

const sizeAlong = (operand: Operand, attrs: object): number => operand.shape[(attrs as { axis: number }).axis] ?? 1;

/** Reductions of numbers; onnxruntime refuses some over nothing. */
const sum =
  (mean: boolean): RangeRow =>
  (attrs, operands) => {
    const n = sizeAlong(first(operands), attrs);
    const { low, high, error } = first(operands).range;
    if (n === 0 || truths(operands) || (mean && !floats(operands))) return refused;
    if (integers(operands)) return exact(Math.min(low * n, low), Math.max(high * n, high));
    const scale = mean ? 1 : n;
    const rounding = n * unit * magnitude(first(operands).range);
    return { low: low * scale, high: high * scale, error: scale * (error + rounding) };
  };
const extremeAlong: RangeRow = (attrs, operands) =>
  sizeAlong(first(operands), attrs) === 0 || truths(operands) ? refused : first(operands).range;

/** Each probability p moves by at most 2·e·p when scores move by e. */
const softmax: RangeRow = (attrs, operands) => {
  const { error } = first(operands).range;
  const n = sizeAlong(first(operands), attrs);
  return floats(operands) ? { low: 0, high: 1, error: Math.expm1(2 * error) + functionError + n * unit } : refused;
};

const product =
  (inner: (operands: readonly Operand[], attrs: object) => number): RangeRow =>
  (attrs, operands) => {
    const n = inner(operands, attrs);
    const [a, b] = [first(operands).range, second(operands).range];
    if (!floats(operands)) return refused;
    const [least, most] = corners(a, b, (x, y) => x * y);
    const each = productError(a, b) + (n + 1) * unit * magnitude(a) * magnitude(b);
    return { low: Math.min(0, n * least), high: Math.max(0, n * most), error: n * each };
  };
/** onnxruntime does not stretch a leading extent of 1 to none. */
const matMul: RangeRow = (attrs, operands) => {
  const leads = operands.map((o) => o.shape.slice(0, -2));
  const stretched = leads[0]?.join() !== leads[1]?.join();
  return stretched && leads.flat().includes(0) ? refused : product(innerExtent)(attrs, operands);
};
const innerExtent = (operands: readonly Operand[]): number => first(operands).shape.at(-1) ?? 1;

const reshape = ({ shape }: OpAttrs['Reshape'], operands: readonly Operand[]): Row =>
  // What -1 stands for cannot be found where nothing is there.
  shape.includes(-1) && first(operands).shape.includes(0) ? refused : first(operands).range;

const cast = ({ to }: OpAttrs['Cast'], operands: readonly Operand[]): Row => {
  const { low, high, error } = first(operands).range;
  if (to === 'float64' || (error > 0 && to !== 'float32')) return refused;
  if (to === 'int64') return exact(Math.trunc(low), Math.trunc(high));
  return to === 'bool' ? exact(0, 1) : { low, high, error };
};

/** The error of a function whose slope is 1.13 at most. */
const bent = (operands: readonly Operand[]): number =>
  1.13 * first(operands).range.error + functionError * (1 + magnitude(first(operands).range));

/** The range of each operator's result, or undefined where its operands must not be given to it. */
const ranges: OpTable<[operands: readonly Operand[]], Row> = {
  Neg: (_, operands) => {
    const { low, high, error } = first(operands).range;
    return truths(operands) ? refused : { low: -high, high: -low, error };
  },
  Abs: (_, operands) => {
    const { range } = first(operands);
    return truths(operands) ? refused : { low: 0, high: magnitude(range), error: range.error };
  },
  Sqrt: rising(Math.sqrt, (x) => (x.low - x.error < 0.01 ? refused : 0.5 / Math.sqrt(x.low - x.error))),
  Reciprocal: (_, operands) => {
    const { range } = first(operands);
    const least = fromZero(range);
    if (least < 0.1 || !floats(operands)) return refused;
    const [low, high] = [1 / range.high, 1 / range.low];
    return { low, high, error: range.error / least ** 2 + 2 * unit * Math.max(Math.abs(low), Math.abs(high)) };
  },
  Exp: rising(Math.exp, (x) => (x.high > 8 ? refused : Math.exp(x.high + x.error))),
  Log: rising(Math.log, (x) => (x.low - x.error < 0.05 ? refused : 1 / (x.low - x.error))),
  Tanh: rising(Math.tanh, () => 1),
  Sigmoid: rising(
    (x) => 1 / (1 + Math.exp(-x)),
    () => 0.25,
  ),
  Erf: (_, operands) => (floats(operands) ? { low: -1, high: 1, error: bent(operands) } : refused),
  Relu: (_, operands) => {
    const { low, high, error } = first(operands).range;
    return floats(operands) ? { low: Math.max(0, low), high: Math.max(0, high), error } : refused;
  },
  // x/2 <= x·Φ(x) <= x for x > 0, and never below -0.18.
  Gelu: (_, operands) => {
    const { low, high } = first(operands).range;
    if (!floats(operands)) return refused;
    return { low: low < 0 ? -0.18 : low / 2, high: Math.max(0, high), error: bent(operands) };
  },
  Not: logic,
  Cast: cast,
  Add: arithmetic((x, y) => x + y, sumError),
  Sub: arithmetic((x, y) => x - y, sumError),
  Mul: arithmetic((x, y) => x * y, productError),
  Div: quotient,
  Pow: power,
  Min: extreme(Math.min),
  Max: extreme(Math.max),
  Greater: comparison,
  Less: comparison,
  Equal: (attrs, operands) => (truths(operands) ? exact(0, 1) : comparison(attrs, operands)),
  And: logic,
  Or: logic,
  // onnxruntime chooses among numbers, not among truth values.
  Where: (_, operands) => (truths(operands.slice(1)) ? refused : union(operands.slice(1).map((o) => o.range))),
  Softmax: softmax,
  ReduceSum: sum(false),
  ReduceMean: sum(true),
  ReduceMax: extremeAlong,
  ReduceMin: extremeAlong,
  // Which is the larger must not hang on rounding.
  TopK: (_, operands) => (first(operands).range.error === 0 ? exact(0, 4) : refused),
  MatMul: matMul,
  Linear: product(innerExtent),
  Reshape: reshape,
  Transpose: kept,
  Slice: kept,
  Concat: (_, operands) => union(operands.map((o) => o.range)),
  Gather: kept,
  ReshapeLike: kept,
  ExpandLike: kept,
  // Row by row at most as many terms as there are rows.
  ScatterAdd: (_, operands) => {
    const updates = operands[2];
    const n = updates?.shape[0] ?? 0;
    if (!updates || !floats([updates])) return refused;
    const { low, high, error } = updates.range;
    const rounding = n * unit * magnitude(updates.range);
    return { low: Math.min(0, n * low), high: Math.max(0, n * high), error: n * (error + rounding) };
  },
  Part: kept,
  Constant: ({ values }) => exact(Math.min(0, ...values), Math.max(0, ...values)),
};

/** The range of an operation's result; undefined where the operation is better not made. */
export const rangeOf = (op: OpName, attrs: OpAttrs[OpName], operands: readonly Operand[]): Row => {
  const range = (ranges[op] as RangeRow)(attrs, operands);
  return range && magnitude(range) <= largest && range.error <= loosest ? range : refused;
};
