import type { OpAttrs } from '../../graph/index.js';
import type { Tensor } from '../../tensor/index.js';
import { erf } from './erf.js';
import { failed, floatOperand, heldAs, operand, pick, zeros, type Kernel } from './kernel.js';
import { broadcastPlaces, broadcastShape } from './places.js';

type Numbers = (a: number, b: number) => number;
type Integers = (a: bigint, b: bigint) => bigint;

/** A function of one number. Computed in float64; storing rounds. */
const unary =
  (f: (x: number) => number): Kernel<object> =>
  (_, inputs) => {
    const x = floatOperand(inputs, 0);
    const y = zeros(x.dtype, x.shape);
    x.data.forEach((value, i) => (y.data[i] = f(value)));
    return y;
  };

/** A function of one number that integers have too. */
const unaryOrInteger =
  (f: (x: number) => number, onIntegers: (x: bigint) => bigint): Kernel<object> =>
  (attrs, inputs, precision) => {
    const x = operand(inputs, 0);
    if (x.dtype !== 'int64') return unary(f)(attrs, inputs, precision);
    return { ...x, data: x.data.map(onIntegers) };
  };

/** Both operands stretched to their common shape. */
const aligned = (inputs: readonly Tensor[]): readonly [Tensor, Tensor] => {
  const [a, b] = [operand(inputs, 0), operand(inputs, 1)];
  if (a.dtype !== b.dtype) throw failed(`operands of types ${a.dtype} and ${b.dtype}`);
  const shape = broadcastShape([a.shape, b.shape]);
  return [stretched(a, shape), stretched(b, shape)];
};

const stretched = (x: Tensor, shape: readonly number[]): Tensor => pick(x, shape, broadcastPlaces(x.shape, shape));

/** A function of two numbers; integers wrap at 64 bits. */
const binary =
  (f: Numbers, onIntegers: Integers): Kernel<object> =>
  (_, inputs) => {
    const [a, b] = aligned(inputs);
    if (a.dtype === 'bool' || b.dtype === 'bool') throw failed('arithmetic on truth values');
    const y = zeros(a.dtype, a.shape);
    if (a.dtype === 'int64' && b.dtype === 'int64' && y.dtype === 'int64') {
      const [left, right, to] = [a.data, b.data, y.data];
      left.forEach((value, i) => (to[i] = onIntegers(value, right[i] ?? 0n)));
      return y;
    }
    const [left, right, to] = [a.data, b.data, y.data] as [Float64Array, Float64Array, Float64Array];
    left.forEach((value, i) => (to[i] = f(value, right[i] ?? 0)));
    return y;
  };

/** As `binary`, of any number of operands. */
const folded =
  (f: Numbers, onIntegers: Integers): Kernel<object> =>
  (attrs, inputs, precision) =>
    inputs.reduce((a, b) => binary(f, onIntegers)(attrs, [a, b], precision));

/** A truth about two numbers, false where one is NaN. */
const compare =
  (f: <N extends number | bigint>(a: N, b: N) => boolean): Kernel<object> =>
  (_, inputs) => {
    const [a, b] = aligned(inputs);
    const y = zeros('bool', a.shape);
    const [left, right] = [a.data, b.data] as [BigInt64Array, BigInt64Array];
    left.forEach((value, i) => (y.data[i] = Number(f(value, right[i] ?? 0n))));
    return y;
  };

const logical =
  (f: Numbers): Kernel<object> =>
  (_, inputs) => {
    const [a, b] = aligned(inputs);
    if (a.dtype !== 'bool' || b.dtype !== 'bool') throw failed('logic on numbers');
    return { ...a, data: a.data.map((value, i) => f(value, b.data[i] ?? 0)) };
  };

export const neg = unaryOrInteger(
  (x) => -x,
  (x) => -x,
);
export const abs = unaryOrInteger(Math.abs, (x) => (x < 0n ? -x : x));
/** Keeps NaN. */
export const relu = unaryOrInteger(
  (x) => (x < 0 ? 0 : x),
  (x) => (x < 0n ? 0n : x),
);
export const sqrt = unary(Math.sqrt);
export const reciprocal = unary((x) => 1 / x);
export const exp = unary(Math.exp);
export const log = unary(Math.log);
export const tanh = unary(Math.tanh);
/** 1 / (1 + e^(−x)). */
export const sigmoid = unary((x) => 1 / (1 + Math.exp(-x)));
export const errorFunction = unary(erf);

const exactGelu = unary((x) => (x === -Infinity ? 0 : 0.5 * x * (1 + erf(x / Math.SQRT2))));
const tanhGelu = unary((x) =>
  x === -Infinity ? 0 : 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
);

/** x·Φ(x), or its approximation by tanh. Hendrycks & Gimpel 2016 §2. */
export const gelu: Kernel<OpAttrs['Gelu']> = ({ approximate }, inputs, precision) =>
  (approximate === 'none' ? exactGelu : tanhGelu)({}, inputs, precision);

export const add = binary(
  (a, b) => a + b,
  (a, b) => a + b,
);
export const sub = binary(
  (a, b) => a - b,
  (a, b) => a - b,
);
export const mul = binary(
  (a, b) => a * b,
  (a, b) => a * b,
);
/** Of integers: towards zero. */
export const div = binary(
  (a, b) => a / b,
  (a, b) => {
    if (b === 0n) throw failed('division of an integer by zero');
    return a / b;
  },
);
/** C's pow, which NumPy has too: 1^NaN is 1, and (±1)^±∞ is 1, where JavaScript's gives NaN. */
const realPower: Numbers = (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b);
export const pow = binary(realPower, (a, b) => {
  if (b < 0n) throw failed('an integer to a negative power');
  return a ** b;
});
/** NaN wins, as in NumPy. */
export const min = folded(Math.min, (a, b) => (b < a ? b : a));
export const max = folded(Math.max, (a, b) => (b > a ? b : a));

export const greater = compare((a, b) => a > b);
export const less = compare((a, b) => a < b);
export const equal = compare((a, b) => a === b);
export const and = logical((a, b) => a & b);
export const or = logical((a, b) => a | b);

export const not: Kernel<object> = (_, inputs) => {
  const x = operand(inputs, 0);
  if (x.dtype !== 'bool') throw failed('logic on numbers');
  return { ...x, data: x.data.map((value) => 1 - value) };
};

/** The second operand where the first is true, else the third. */
export const where: Kernel<object> = (_, inputs) => {
  const [condition, a, b] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)];
  const shape = broadcastShape([condition.shape, a.shape, b.shape]);
  const [chosen, other] = [stretched(a, shape), stretched(b, shape)];
  const truth = stretched(condition, shape);
  const result = zeros(chosen.dtype, shape);
  const [yes, no, to] = [chosen.data, other.data, result.data] as [Float64Array, Float64Array, Float64Array];
  truth.data.forEach((value: number | bigint, i: number) => (to[i] = (value ? yes[i] : no[i]) ?? 0));
  return result;
};

const lowest = -(2n ** 63n);

/** Towards zero; NaN and what does not fit become the lowest integer, as x86 does (ONNX leaves it open). */
const toInteger = (value: number): bigint =>
  Number.isFinite(value) && Math.abs(value) < 2 ** 63 ? BigInt(Math.trunc(value)) : lowest;

/** A number in another element type; NaN is true. */
export const cast: Kernel<OpAttrs['Cast']> = ({ to }, inputs, precision) => {
  const x = operand(inputs, 0);
  const dtype = heldAs(to, precision);
  if (x.dtype === dtype) return x;
  const y = zeros(dtype, x.shape);
  x.data.forEach((element: number | bigint, i: number) => {
    const value = Number(element);
    if (y.dtype === 'int64') y.data[i] = toInteger(value);
    else y.data[i] = y.dtype === 'bool' ? Number(value !== 0) : value;
  });
  return y;
};
