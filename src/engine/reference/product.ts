import type { OpAttrs } from '../../graph/index.js';
import { sizeOf, type FloatTensor } from '../../tensor/index.js';
import { failed, floatOperand, zeros, type Kernel } from './kernel.js';
import { broadcastPlaces, broadcastShape } from './places.js';

/** A matrix inside data: where it starts, and the steps from row to row and from column to column. */
interface Matrix {
  readonly data: Float32Array | Float64Array;
  readonly start: number;
  readonly row: number;
  readonly column: number;
}

/** Σₖ a[i, k] · b[k, j], accumulated in float64. */
const dot = (a: Matrix, b: Matrix, [i, j, inner]: readonly [number, number, number]): number => {
  let sum = 0;
  for (let k = 0; k < inner; k++)
    sum += (a.data[a.start + i * a.row + k * a.column] ?? 0) * (b.data[b.start + k * b.row + j * b.column] ?? 0);
  return sum;
};

/** [..., rows, inner] · [..., inner, columns], the leading axes broadcast. */
export const matMul: Kernel<object> = (_, inputs) => {
  const [a, b] = [floatOperand(inputs, 0), floatOperand(inputs, 1)];
  const [rows, inner] = lastTwo(a);
  const [depth, columns] = lastTwo(b);
  if (inner !== depth || a.dtype !== b.dtype)
    throw failed(`MatMul of ${a.dtype} [${a.shape.join(', ')}] and ${b.dtype} [${b.shape.join(', ')}]`);
  const [leadA, leadB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const lead = broadcastShape([leadA, leadB]);
  const [placesA, placesB] = [broadcastPlaces(leadA, lead), broadcastPlaces(leadB, lead)];
  const y = zeros(a.dtype, [...lead, rows, columns]);
  for (let n = 0; n < sizeOf(lead); n++) {
    const left = { data: a.data, start: (placesA[n] ?? 0) * rows * inner, row: inner, column: 1 };
    const right = { data: b.data, start: (placesB[n] ?? 0) * inner * columns, row: columns, column: 1 };
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) y.data[(n * rows + i) * columns + j] = dot(left, right, [i, j, inner]);
  }
  return y;
};

/** [..., in] · Wᵀ for a weight [out, in], · W for [in, out]. */
export const linear: Kernel<OpAttrs['Linear']> = ({ layout }, inputs) => {
  const [x, w] = [floatOperand(inputs, 0), floatOperand(inputs, 1)];
  const [first, second] = lastTwo(w);
  const [outer, inner] = layout === 'out,in' ? [first, second] : [second, first];
  if (x.shape.at(-1) !== inner || w.shape.length !== 2 || x.dtype !== w.dtype)
    throw failed(`Linear (${layout}) of ${x.dtype} [${x.shape.join(', ')}] and ${w.dtype} [${w.shape.join(', ')}]`);
  const lead = x.shape.slice(0, -1);
  const y = zeros(x.dtype, [...lead, outer]);
  const left = { data: x.data, start: 0, row: inner, column: 1 };
  const [row, column] = layout === 'out,in' ? [1, inner] : [outer, 1];
  const right = { data: w.data, start: 0, row, column };
  for (let i = 0; i < sizeOf(lead); i++)
    for (let j = 0; j < outer; j++) y.data[i * outer + j] = dot(left, right, [i, j, inner]);
  return y;
};

const lastTwo = ({ shape }: FloatTensor): readonly [number, number] => {
  const [rows, columns] = [shape.at(-2), shape.at(-1)];
  if (rows === undefined || columns === undefined) throw failed(`a product with a value of ${shape.length} axes`);
  return [rows, columns];
};
