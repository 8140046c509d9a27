import type { Tensor } from '../../tensor/index.js';
import { sizeOf, stridesOf } from '../../tensor/index.js';

/** Along which axis a source tensor is looked up by its own index, and along which it is the same for all. */
export type Lookup = 'index' | 'same';

/**
 * Values to put in a site's place, taken from another run or made beforehand. It has the axes of the site;
 * `indices[a]` are, along axis a, the places of the site that the source's rows stand for, in order.
 */
export interface Source {
  readonly tensor: Tensor<'float32'>;
  readonly lookup: readonly Lookup[];
}

/** For each axis: which row of the source each local index takes; −1 where there is none. */
export type Rowings = readonly (readonly number[])[];

/**
 * The source's numbers laid out over the local extents; zero where there is no source.
 * @param rowings per axis, for each local index, the row of the source
 */
export const laidOut = (source: Source, rowings: Rowings): Tensor<'float32'> => {
  const shape = rowings.map((rows) => rows.length);
  const strides = stridesOf(source.tensor.shape);
  const data = new Float32Array(sizeOf(shape));
  const place = new Array<number>(shape.length).fill(0);
  for (let flat = 0; flat < data.length; flat++) {
    let at = 0;
    let known = true;
    for (let a = 0; a < shape.length; a++) {
      const row = rowings[a]?.[place[a] ?? 0] ?? -1;
      known &&= row >= 0;
      at += row * (strides[a] ?? 0);
    }
    if (known) data[flat] = source.tensor.data[at] ?? 0;
    advance(place, shape);
  }
  return { dtype: 'float32', shape, data };
};

/** The next place in row-major order. */
const advance = (place: number[], shape: readonly number[]): void => {
  for (let a = shape.length - 1; a >= 0; a--) {
    const next = (place[a] ?? 0) + 1;
    if (next < (shape[a] ?? 0)) {
      place[a] = next;
      return;
    }
    place[a] = 0;
  }
};

/** The mean over some axes, which stay with extent 1. Accumulated in float64. */
export const meanOver = (tensor: Tensor<'float32'>, axes: readonly number[]): Tensor<'float32'> => {
  const shape = tensor.shape.map((n, a) => (axes.includes(a) ? 1 : n));
  const strides = stridesOf(shape).map((s, a) => (axes.includes(a) ? 0 : s));
  const sums = new Float64Array(sizeOf(shape));
  const place = new Array<number>(shape.length).fill(0);
  for (const x of tensor.data) {
    const at = place.reduce((sum, p, a) => sum + p * (strides[a] ?? 0), 0);
    sums[at] = (sums[at] ?? 0) + x;
    advance(place, tensor.shape);
  }
  const count = tensor.data.length / sums.length;
  return { dtype: 'float32', shape, data: Float32Array.from(sums, (sum) => sum / count) };
};
