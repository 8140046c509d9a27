import { describe, expect, it } from 'vitest';
import type { OpAttrs, OpName } from '../../graph/index.js';
import { bool, float32, float64, int64From, type Tensor } from '../../tensor/index.js';
import { compute } from './kernels.js';

const f64 = (shape: readonly number[], ...values: number[]) => float64(shape, Float64Array.from(values));
const f32 = (shape: readonly number[], ...values: number[]) => float32(shape, Float32Array.from(values));
const i64 = (shape: readonly number[], ...values: number[]) => int64From(shape, values);
const truth = (shape: readonly number[], ...values: number[]) => bool(shape, Uint8Array.from(values));
const vector = (...values: number[]) => f64([values.length], ...values);

const run = <K extends OpName>(op: K, attrs: OpAttrs[K], ...inputs: Tensor[]): Tensor =>
  compute({ op, attrs }, inputs, 'float64');
const close = (actual: Tensor, expected: readonly number[]): void => {
  expect(actual.data).toHaveLength(expected.length);
  expected.forEach((value, i) => expect(Number(actual.data[i])).toBeCloseTo(value, 13));
};

describe('one operand, element by element', () => {
  it('Neg, Abs and Relu of numbers', () => {
    expect(run('Neg', {}, vector(1, -2, 0))).toEqual(vector(-1, 2, -0));
    expect(run('Abs', {}, vector(-3, 0, Infinity, NaN))).toEqual(vector(3, 0, Infinity, NaN));
    expect(run('Relu', {}, vector(-3, 2, -Infinity, NaN))).toEqual(vector(0, 2, 0, NaN));
  });
  it('Neg, Abs and Relu of integers', () => {
    expect(run('Neg', {}, i64([2], 3, -4))).toEqual(i64([2], -3, 4));
    expect(run('Abs', {}, i64([2], 3, -4))).toEqual(i64([2], 3, 4));
    expect(run('Relu', {}, i64([2], 3, -4))).toEqual(i64([2], 3, 0));
  });
  it('Sqrt, Reciprocal and Log leave their domain as IEEE says', () => {
    expect(run('Sqrt', {}, vector(9, 0, -1))).toEqual(vector(3, 0, NaN));
    expect(run('Reciprocal', {}, vector(4, 0, -0))).toEqual(vector(0.25, Infinity, -Infinity));
    expect(run('Log', {}, vector(1, 0, -1, Infinity))).toEqual(vector(0, -Infinity, NaN, Infinity));
  });
  it('Exp, Tanh, Sigmoid and Erf at known points', () => {
    close(run('Exp', {}, vector(0, 1, -1)), [1, 2.718281828459045, 0.36787944117144233]);
    close(run('Tanh', {}, vector(0, 0.5, -20)), [0, 0.46211715726000973, -1]);
    close(run('Sigmoid', {}, vector(0, 2, -800)), [0.5, 0.8807970779778823, 0]);
    close(run('Erf', {}, vector(0.5, -2)), [0.5204998778130465, -0.9953222650189527]);
  });
  it('Gelu, exact and by tanh, which differ in the fourth decimal', () => {
    const x = vector(-1, 0, 0.5, 2);
    close(run('Gelu', { approximate: 'none' }, x), [-0.15865525393145707, 0, 0.34573123063700656, 1.9544997361036416]);
    close(run('Gelu', { approximate: 'tanh' }, x), [-0.15880800939172324, 0, 0.34571400982514394, 1.954597694087775]);
  });
  it('Gelu tends to 0 and to x', () => {
    for (const approximate of ['none', 'tanh'] as const)
      expect(run('Gelu', { approximate }, vector(-Infinity, Infinity, NaN))).toEqual(vector(0, Infinity, NaN));
  });
  it('Not of truth values only', () => {
    expect(run('Not', {}, truth([2], 0, 1))).toEqual(truth([2], 1, 0));
    expect(() => run('Not', {}, vector(1))).toThrow(/logic on numbers/);
  });
  it('refuses functions of real numbers on integers', () => {
    expect(() => run('Sqrt', {}, i64([1], 4))).toThrow(/operand 0 is int64/);
  });
  it('keeps a shape without elements, and a scalar', () => {
    expect(run('Exp', {}, f64([2, 0]))).toEqual(f64([2, 0]));
    expect(run('Neg', {}, f64([], 2))).toEqual(f64([], -2));
  });
});

describe('Cast', () => {
  it('cuts off fractions towards zero', () => {
    expect(run('Cast', { to: 'int64' }, vector(1.9, -1.9, 0.5))).toEqual(i64([3], 1, -1, 0));
  });
  it('makes the lowest integer of what is none', () => {
    const lowest = -(2n ** 63n);
    expect(run('Cast', { to: 'int64' }, vector(NaN, Infinity)).data).toEqual(BigInt64Array.of(lowest, lowest));
  });
  it('takes all but zero for true', () => {
    expect(run('Cast', { to: 'bool' }, vector(0, -0, 0.5, NaN))).toEqual(truth([4], 0, 0, 1, 1));
    expect(run('Cast', { to: 'bool' }, i64([2], 0, -3))).toEqual(truth([2], 0, 1));
  });
  it('holds float32 in the precision of the engine', () => {
    expect(run('Cast', { to: 'float32' }, i64([1], 3))).toEqual(vector(3));
    expect(compute({ op: 'Cast', attrs: { to: 'float32' } }, [truth([2], 1, 0)], 'float32')).toEqual(f32([2], 1, 0));
    expect(compute({ op: 'Cast', attrs: { to: 'float32' } }, [vector(0.1)], 'float32')).toEqual(f32([1], 0.1));
  });
});

describe('several operands, element by element', () => {
  it('stretches extents of 1 on both sides', () => {
    const sum = run('Add', {}, f64([2, 1], 1, 2), f64([3], 10, 20, 30));
    expect(sum).toEqual(f64([2, 3], 11, 21, 31, 12, 22, 32));
  });
  it('stretches a middle axis, and a scalar', () => {
    const product = run('Mul', {}, f64([2, 1, 2], 1, 2, 3, 4), f64([2, 1], 1, 10));
    expect(product).toEqual(f64([2, 2, 2], 1, 2, 10, 20, 3, 4, 30, 40));
    expect(run('Sub', {}, f64([], 1), vector(3, 4))).toEqual(vector(-2, -3));
  });
  it('stretches an extent of 1 to none', () => {
    expect(run('Add', {}, f64([1, 2], 1, 2), f64([0, 1]))).toEqual(f64([0, 2]));
  });
  it('refuses extents that do not fit, and mixed types', () => {
    expect(() => run('Add', {}, vector(1, 2), vector(1, 2, 3))).toThrow(/do not broadcast/);
    expect(() => run('Add', {}, f64([0]), vector(1, 2))).toThrow(/do not broadcast/);
    expect(() => run('Add', {}, vector(1), i64([1], 1))).toThrow(/float64 and int64/);
    expect(() => run('Add', {}, truth([1], 1), truth([1], 1))).toThrow(/truth values/);
  });
  it('divides by zero as IEEE says', () => {
    expect(run('Div', {}, vector(1, -1, 0), vector(0, 0, 0))).toEqual(vector(Infinity, -Infinity, NaN));
  });
  it('divides integers towards zero, and by zero not at all', () => {
    expect(run('Div', {}, i64([3], 7, -7, 7), i64([3], 2, 2, -2))).toEqual(i64([3], 3, -3, -3));
    expect(() => run('Div', {}, i64([1], 1), i64([1], 0))).toThrow(/by zero/);
  });
  it('adds and multiplies integers exactly, wrapping at 64 bits', () => {
    expect(run('Mul', {}, i64([1], 3037000500), i64([1], 3037000500)).data).toEqual(
      BigInt64Array.of(9223372037000250000n - 2n ** 64n),
    );
  });
  it('raises to powers as C does', () => {
    const power = run('Pow', {}, vector(2, -2, -8, 1, 0), vector(10, 3, 1 / 3, NaN, 0));
    expect(power).toEqual(vector(1024, -8, NaN, 1, 1));
    expect(run('Pow', {}, i64([2], 2, -3), i64([2], 10, 3))).toEqual(i64([2], 1024, -27));
    expect(() => run('Pow', {}, i64([1], 2), i64([1], -1))).toThrow(/negative power/);
  });
  it('takes Min and Max of any number of operands, NaN winning', () => {
    expect(run('Min', {}, vector(1, 5, NaN), vector(2, 4, 0), vector(3, 3, 0))).toEqual(vector(1, 3, NaN));
    expect(run('Max', {}, vector(1, 5, 0), vector(2, 4, NaN))).toEqual(vector(2, 5, NaN));
    expect(run('Max', {}, i64([2], 1, 5), i64([], 3))).toEqual(i64([2], 3, 5));
  });
  it('compares, NaN being never equal, greater or less', () => {
    const [a, b] = [vector(1, 2, NaN, NaN), vector(1, 1, NaN, 0)];
    expect(run('Greater', {}, a, b)).toEqual(truth([4], 0, 1, 0, 0));
    expect(run('Less', {}, b, a)).toEqual(truth([4], 0, 1, 0, 0));
    expect(run('Equal', {}, a, b)).toEqual(truth([4], 1, 0, 0, 0));
  });
  it('compares integers and truth values', () => {
    expect(run('Greater', {}, i64([2], 1, -2), i64([], -1))).toEqual(truth([2], 1, 0));
    expect(run('Equal', {}, truth([2], 1, 0), truth([1], 1))).toEqual(truth([2], 1, 0));
  });
  it('joins truth values', () => {
    const [a, b] = [truth([4], 0, 0, 1, 1), truth([4], 0, 1, 0, 1)];
    expect(run('And', {}, a, b)).toEqual(truth([4], 0, 0, 0, 1));
    expect(run('Or', {}, a, b)).toEqual(truth([4], 0, 1, 1, 1));
    expect(() => run('And', {}, i64([1], 1), i64([1], 1))).toThrow(/logic on numbers/);
  });
  it('chooses with Where, all three stretched; the value not chosen may be NaN', () => {
    const chosen = run('Where', {}, truth([2, 1], 1, 0), vector(1, 2), f64([], NaN));
    expect(chosen).toEqual(f64([2, 2], 1, 2, NaN, NaN));
    expect(run('Where', {}, truth([2], 1, 0), i64([1], 7), i64([2], 8, 9))).toEqual(i64([2], 7, 9));
  });
});

describe('along an axis', () => {
  const x = f64([2, 3], 1, 2, 3, 4, 5, 6);
  it('sums, averages and finds extremes along the last and the first axis', () => {
    expect(run('ReduceSum', { axis: 1 }, x)).toEqual(f64([2, 1], 6, 15));
    expect(run('ReduceSum', { axis: 0 }, x)).toEqual(f64([1, 3], 5, 7, 9));
    expect(run('ReduceMean', { axis: 1 }, x)).toEqual(f64([2, 1], 2, 5));
    expect(run('ReduceMax', { axis: 0 }, x)).toEqual(f64([1, 3], 4, 5, 6));
    expect(run('ReduceMin', { axis: 1 }, x)).toEqual(f64([2, 1], 1, 4));
  });
  it('reduces a middle axis', () => {
    const cube = f64([2, 2, 2], 1, 2, 3, 4, 5, 6, 7, 8);
    expect(run('ReduceSum', { axis: 1 }, cube)).toEqual(f64([2, 1, 2], 4, 6, 12, 14));
  });
  it('reduces integers', () => {
    const n = i64([1, 3], -1, 5, -6);
    expect(run('ReduceSum', { axis: 1 }, n)).toEqual(i64([1, 1], -2));
    expect(run('ReduceMax', { axis: 1 }, n)).toEqual(i64([1, 1], 5));
    expect(run('ReduceMin', { axis: 1 }, n)).toEqual(i64([1, 1], -6));
    expect(run('ReduceMean', { axis: 1 }, i64([1, 2], -1, -2))).toEqual(i64([1, 1], -1));
  });
  it('reduces nothing to the neutral element', () => {
    const none = f64([2, 0]);
    expect(run('ReduceSum', { axis: 1 }, none)).toEqual(f64([2, 1], 0, 0));
    expect(run('ReduceMean', { axis: 1 }, none)).toEqual(f64([2, 1], NaN, NaN));
    expect(run('ReduceMax', { axis: 1 }, none)).toEqual(f64([2, 1], -Infinity, -Infinity));
    expect(run('ReduceMin', { axis: 1 }, none)).toEqual(f64([2, 1], Infinity, Infinity));
  });
  it('lets NaN win', () => {
    expect(run('ReduceMax', { axis: 0 }, vector(1, NaN, 3))).toEqual(vector(NaN));
    expect(run('ReduceMin', { axis: 0 }, vector(1, NaN, 3))).toEqual(vector(NaN));
  });
  it('sums float32 in float64 and rounds once', () => {
    const tenths = f32([10], ...Array.from({ length: 10 }, () => 0.1));
    expect(compute({ op: 'ReduceSum', attrs: { axis: 0 } }, [tenths], 'float32')).toEqual(f32([1], 1));
  });
  it('takes Softmax by row', () => {
    const [e1, e2] = [Math.exp(1), Math.exp(2)];
    const all = 1 + e1 + e2;
    close(run('Softmax', { axis: 1 }, f64([2, 3], 0, 1, 2, 5, 5, 5)), [
      ...[1 / all, e1 / all, e2 / all],
      ...[1 / 3, 1 / 3, 1 / 3],
    ]);
  });
  it('subtracts the maximum in Softmax: large scores and the float32 minimum do no harm', () => {
    expect(run('Softmax', { axis: 0 }, vector(1000, -3.4028234663852886e38, 1000))).toEqual(vector(0.5, 0, 0.5));
    expect(run('Softmax', { axis: 0 }, vector(-Infinity, 0))).toEqual(vector(0, 1));
  });
  it('has NaN for a row of −∞ alone, for +∞ and for NaN', () => {
    expect(run('Softmax', { axis: 0 }, vector(-Infinity, -Infinity))).toEqual(vector(NaN, NaN));
    expect(run('Softmax', { axis: 0 }, vector(NaN, 0))).toEqual(vector(NaN, NaN));
    expect(run('Softmax', { axis: 1 }, f64([3, 0]))).toEqual(f64([3, 0]));
  });
});

describe('products', () => {
  it('MatMul of two matrices', () => {
    const product = run('MatMul', {}, f64([2, 3], 1, 2, 3, 4, 5, 6), f64([3, 2], 1, 0, 0, 1, 2, 2));
    expect(product).toEqual(f64([2, 2], 7, 8, 16, 17));
  });
  it('MatMul stretches leading axes on both sides', () => {
    const a = f64([2, 1, 1, 2], 1, 2, 3, 4);
    const b = f64([2, 2, 1], 1, 1, 10, 1);
    expect(run('MatMul', {}, a, b)).toEqual(f64([2, 2, 1, 1], 3, 12, 7, 34));
  });
  it('MatMul over nothing is zero; of no rows, nothing', () => {
    expect(run('MatMul', {}, f64([2, 0]), f64([0, 1]))).toEqual(f64([2, 1], 0, 0));
    expect(run('MatMul', {}, f64([0, 2]), f64([2, 3], 1, 2, 3, 4, 5, 6))).toEqual(f64([0, 3]));
  });
  it('MatMul keeps 0 · ∞ = NaN', () => {
    expect(run('MatMul', {}, f64([1, 2], 0, 1), f64([2, 1], Infinity, 1))).toEqual(f64([1, 1], NaN));
  });
  it('refuses inner extents that differ, and vectors', () => {
    expect(() => run('MatMul', {}, f64([1, 2], 1, 2), f64([1, 1], 1))).toThrow(/MatMul of/);
    expect(() => run('MatMul', {}, vector(1), vector(1))).toThrow(/1 axes/);
  });
  it('Linear reads the weight in both layouts', () => {
    const x = f64([1, 2, 2], 1, 2, 3, 4);
    const outIn = run('Linear', { layout: 'out,in', axis: 'y' }, x, f64([3, 2], 1, 0, 0, 1, 1, 1));
    expect(outIn).toEqual(f64([1, 2, 3], 1, 2, 3, 3, 4, 7));
    expect(run('Linear', { layout: 'in,out', axis: 'y' }, x, f64([2, 3], 1, 0, 1, 0, 1, 1))).toEqual(outIn);
  });
  it('Linear refuses a weight that does not fit', () => {
    expect(() => run('Linear', { layout: 'in,out', axis: 'y' }, vector(1, 2), f64([1, 2], 1, 2))).toThrow(/Linear/);
  });
});

describe('form', () => {
  const x = f64([2, 3], 1, 2, 3, 4, 5, 6);
  it('Reshape copies extents and finds the rest', () => {
    expect(run('Reshape', { shape: [0, -1, 1], axes: ['', '', ''] }, x).shape).toEqual([2, 3, 1]);
    expect(run('Reshape', { shape: [-1], axes: [''] }, x)).toEqual(vector(1, 2, 3, 4, 5, 6));
    expect(run('Reshape', { shape: [0, 2], axes: ['', ''] }, f64([0, 2])).shape).toEqual([0, 2]);
    expect(() => run('Reshape', { shape: [4], axes: [''] }, x)).toThrow(/Reshape/);
    expect(() => run('Reshape', { shape: [0, -1], axes: ['', ''] }, f64([0, 2]))).toThrow(/Reshape/);
  });
  it('Transpose permutes axes', () => {
    expect(run('Transpose', { perm: [1, 0], axes: ['', ''] }, x)).toEqual(f64([3, 2], 1, 4, 2, 5, 3, 6));
    const cube = i64([1, 2, 3], 0, 1, 2, 3, 4, 5);
    expect(run('Transpose', { perm: [2, 0, 1], axes: ['', '', ''] }, cube)).toEqual(i64([3, 1, 2], 0, 3, 1, 4, 2, 5));
  });
  it('Slice cuts any axis', () => {
    expect(run('Slice', { axis: 1, start: 1, end: 3 }, x)).toEqual(f64([2, 2], 2, 3, 5, 6));
    expect(run('Slice', { axis: 0, start: 1, end: 2 }, x)).toEqual(f64([1, 3], 4, 5, 6));
  });
  it('Concat joins any axis, and parts that are empty', () => {
    expect(run('Concat', { axis: 1 }, x, f64([2, 1], 7, 8))).toEqual(f64([2, 4], 1, 2, 3, 7, 4, 5, 6, 8));
    expect(run('Concat', { axis: 0 }, f64([0, 1]), f64([2, 1], 7, 8))).toEqual(f64([2, 1], 7, 8));
    expect(() => run('Concat', { axis: 0 }, x, vector(1))).toThrow(/Concat/);
  });
  it('Gather takes slices along an axis, negative indices from the end', () => {
    expect(run('Gather', { axis: 0 }, x, i64([2], 1, -2))).toEqual(f64([2, 3], 4, 5, 6, 1, 2, 3));
    expect(run('Gather', { axis: 1 }, x, i64([2, 1], 2, 0))).toEqual(f64([2, 2, 1], 3, 1, 6, 4));
    expect(run('Gather', { axis: 1 }, x, i64([], -1))).toEqual(f64([2], 3, 6));
    expect(run('Gather', { axis: 0 }, x, i64([0]))).toEqual(f64([0, 3]));
  });
  it.each([2, -3])('Gather refuses index %d of an axis of 2', (index) => {
    expect(() => run('Gather', { axis: 0 }, x, i64([1], index))).toThrow(
      expect.objectContaining({ info: expect.objectContaining({ code: 'ENGINE_FAILED' }) as object }),
    );
  });
  it('Constant is rounded to its own type', () => {
    const attrs = { dtype: 'float32', shape: [1], axes: [''], values: [0.1] } as const;
    expect(run('Constant', attrs)).toEqual(vector(Math.fround(0.1)));
    expect(run('Constant', { ...attrs, dtype: 'int64', values: [3] })).toEqual(i64([1], 3));
    expect(() => run('Constant', { ...attrs, values: [] })).toThrow(/Constant/);
  });
});

describe('float32', () => {
  it('rounds the result of each operation', () => {
    const sum = compute({ op: 'Add', attrs: {} }, [f32([1], 0.1), f32([1], 0.2)], 'float32');
    expect(sum.data[0]).toBe(Math.fround(Math.fround(0.1) + Math.fround(0.2)));
  });
  it('overflows to infinity', () => {
    expect(compute({ op: 'Exp', attrs: {} }, [f32([1], 100)], 'float32')).toEqual(f32([1], Infinity));
  });
});
