import { sizeOf, type Tensor, type DType, type DTypeArrays } from './tensor.js';

const allocate: { [D in DType]: (n: number) => DTypeArrays[D] } = {
  float32: (n) => new Float32Array(n),
  float64: (n) => new Float64Array(n),
  int64: (n) => new BigInt64Array(n),
  bool: (n) => new Uint8Array(n),
};

/** A tensor of zeros. */
export const allocated = (dtype: DType, shape: readonly number[]): Tensor =>
  ({ dtype, shape, data: allocate[dtype](sizeOf(shape)) }) as Tensor;

/** Elements before, at and after an axis. */
const around = (shape: readonly number[], axis: number) => ({
  outer: sizeOf(shape.slice(0, axis)),
  extent: shape[axis] ?? 1,
  inner: sizeOf(shape.slice(axis + 1)),
});

/** The chosen indices of one axis, copied, in the order given. */
export const take = <T extends Tensor>(tensor: T, axis: number, indices: readonly number[]): T => {
  const { outer, extent, inner } = around(tensor.shape, axis);
  const data = allocate[tensor.dtype](outer * indices.length * inner);
  for (let o = 0; o < outer; o++)
    indices.forEach((index, i) => {
      const from = (o * extent + index) * inner;
      data.set(tensor.data.subarray(from, from + inner) as never, (o * indices.length + i) * inner);
    });
  const shape = tensor.shape.map((n, i) => (i === axis ? indices.length : n));
  return { dtype: tensor.dtype, shape, data } as unknown as T;
};

/** Rows `start` (inclusive) to `end` (exclusive) of one axis. No copy when `axis` is the outermost that is not 1. */
export const range = <T extends Tensor>(tensor: T, axis: number, [start, end]: readonly [number, number]): T => {
  const { outer, extent, inner } = around(tensor.shape, axis);
  if (start === 0 && end === extent) return tensor;
  const shape = tensor.shape.map((n, i) => (i === axis ? end - start : n));
  if (outer === 1) {
    const data = tensor.data.subarray(start * inner, end * inner);
    return { dtype: tensor.dtype, shape, data } as unknown as T;
  }
  return take(
    tensor,
    axis,
    Array.from({ length: end - start }, (_, i) => start + i),
  );
};

/** Joins tensors of one dtype along an axis. */
export const concat = <T extends Tensor>(tensors: readonly T[], axis: number): T => {
  const first = tensors[0] as T;
  const { outer, inner } = around(first.shape, axis);
  const extent = tensors.reduce((n, t) => n + (t.shape[axis] ?? 1), 0);
  const data = allocate[first.dtype](outer * extent * inner);
  let offset = 0;
  for (let o = 0; o < outer; o++)
    for (const t of tensors) {
      const run = (t.shape[axis] ?? 1) * inner;
      data.set(t.data.subarray(o * run, (o + 1) * run) as never, offset);
      offset += run;
    }
  return { dtype: first.dtype, shape: first.shape.map((n, i) => (i === axis ? extent : n)), data } as unknown as T;
};
