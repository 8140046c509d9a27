import type { OpAttrs } from '../../graph/index.js';
import { sizeOf, stridesOf, type Tensor } from '../../tensor/index.js';
import { failed, heldAs, operand, pick, zeros, type Kernel } from './kernel.js';
import { around, placesOf } from './places.js';

/** The same numbers in another shape: 0 copies an extent, one −1 is what remains. */
export const reshape: Kernel<OpAttrs['Reshape']> = ({ shape }, inputs) => {
  const x = operand(inputs, 0);
  const known = shape.map((n, i) => (n === 0 ? (x.shape[i] ?? 0) : n));
  const rest = sizeOf(x.shape) / sizeOf(known.filter((n) => n !== -1));
  const full = known.map((n) => (n === -1 ? rest : n));
  if (!full.every(Number.isInteger) || sizeOf(full) !== sizeOf(x.shape))
    throw failed(`Reshape from [${x.shape.join(', ')}] to [${shape.join(', ')}]`);
  return { ...x, shape: full };
};

/** Axis i of the result is axis `perm[i]` of the operand. */
export const transpose: Kernel<OpAttrs['Transpose']> = ({ perm }, inputs) => {
  const x = operand(inputs, 0);
  const strides = stridesOf(x.shape);
  const shape = perm.map((p) => x.shape[p] ?? 1);
  const steps = perm.map((p) => strides[p] ?? 1);
  return pick(x, shape, placesOf(shape, steps));
};

/** Indices `start` (inclusive) to `end` (exclusive) of an axis. */
export const slice: Kernel<OpAttrs['Slice']> = ({ axis, start, end }, inputs) => {
  const x = operand(inputs, 0);
  const strides = stridesOf(x.shape);
  const shape = x.shape.map((n, i) => (i === axis ? end - start : n));
  return pick(x, shape, placesOf(shape, strides, start * (strides[axis] ?? 1)));
};

/** Operands one after the other along an axis. */
export const concat: Kernel<OpAttrs['Concat']> = ({ axis }, inputs) => {
  const first = operand(inputs, 0);
  const joined = inputs.reduce((n, t) => n + (t.shape[axis] ?? 0), 0);
  const misfit = (t: Tensor): boolean =>
    t.dtype !== first.dtype ||
    t.shape.length !== first.shape.length ||
    t.shape.some((n, i) => i !== axis && n !== first.shape[i]);
  if (inputs.some(misfit)) throw failed(`Concat of ${inputs.map((t) => `[${t.shape.join(', ')}]`).join(', ')}`);
  const y = zeros(
    first.dtype,
    first.shape.map((n, i) => (i === axis ? joined : n)),
  );
  const { outer, inner } = around(first.shape, axis);
  let offset = 0;
  for (let o = 0; o < outer; o++)
    for (const t of inputs) {
      const run = (t.shape[axis] ?? 0) * inner;
      (y.data as Float64Array).set((t.data as Float64Array).subarray(o * run, (o + 1) * run), offset);
      offset += run;
    }
  return y;
};

const indexWithin = (index: bigint, extent: number): number => {
  const at = Number(index) + (index < 0n ? extent : 0);
  if (at >= 0 && at < extent) return at;
  throw failed(`Gather of index ${index.toString()} from an axis of ${extent}`);
};

/** Slices of the first operand along an axis, chosen by the second; negative indices count from the end. */
export const gather: Kernel<OpAttrs['Gather']> = ({ axis }, inputs) => {
  const [data, indices] = [operand(inputs, 0), operand(inputs, 1)];
  if (indices.dtype !== 'int64') throw failed('Gather is indexed by int64');
  const { outer, extent, inner } = around(data.shape, axis);
  const rows = Array.from(indices.data, (index) => indexWithin(index, extent));
  const places = new Int32Array(outer * rows.length * inner);
  for (let o = 0; o < outer; o++)
    rows.forEach((row, r) => {
      for (let i = 0; i < inner; i++) places[(o * rows.length + r) * inner + i] = (o * extent + row) * inner + i;
    });
  return pick(data, [...data.shape.slice(0, axis), ...indices.shape, ...data.shape.slice(axis + 1)], places);
};

export const constant: Kernel<OpAttrs['Constant']> = ({ dtype, shape, values }, _, precision) => {
  if (values.length !== sizeOf(shape)) throw failed(`a Constant of [${shape.join(', ')}] with ${values.length} values`);
  const y = zeros(heldAs(dtype, precision), shape);
  if (y.dtype === 'int64') y.data.set(values.map(BigInt));
  // A constant of float32 is rounded to float32 in every precision: it is what the graph says.
  else y.data.set(dtype === 'float32' ? Float32Array.from(values) : values);
  return y;
};
