import { sizeOf, stridesOf } from '../../tensor/index.js';
import { failed } from './kernel.js';

/** Where elements lie: offsets into row-major data, one for each element of a result. */

/** Offsets of the elements of a result of this shape, whose axis i steps `strides[i]` elements. */
export const placesOf = (shape: readonly number[], strides: readonly number[], start = 0): Int32Array => {
  const places = new Int32Array(sizeOf(shape)).fill(start);
  let repeat = places.length;
  shape.forEach((extent, axis) => {
    repeat = extent === 0 ? 0 : repeat / extent;
    for (let i = 0; i < places.length; i++)
      places[i] = (places[i] ?? 0) + (Math.floor(i / repeat) % extent) * (strides[axis] ?? 0);
  });
  return places;
};

/**
 * The shape that shapes broadcast to: aligned at the right, an extent of 1 stretches.
 * @throws EngineError ENGINE_FAILED
 * @source https://numpy.org/doc/stable/user/basics.broadcasting.html
 */
export const broadcastShape = (shapes: readonly (readonly number[])[]): number[] => {
  const rank = Math.max(...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, axis) => {
    const extents = shapes.map((s) => s[axis - rank + s.length] ?? 1).filter((n) => n !== 1);
    const [extent = 1] = extents;
    if (extents.some((n) => n !== extent))
      throw failed(`shapes ${shapes.map((s) => `[${s.join(', ')}]`).join(' and ')} do not broadcast`);
    return extent;
  });
};

/** Offsets into data of shape `from` for each element of the broadcast shape `to`. */
export const broadcastPlaces = (from: readonly number[], to: readonly number[]): Int32Array => {
  const own = stridesOf(from);
  const missing = to.length - from.length;
  const strides = to.map((_, axis) => (from[axis - missing] === 1 ? 0 : (own[axis - missing] ?? 0)));
  return placesOf(to, strides);
};

/** The extents before, of and after an axis, as counts of elements. */
export const around = (shape: readonly number[], axis: number) => ({
  outer: sizeOf(shape.slice(0, axis)),
  extent: shape[axis] ?? 1,
  inner: sizeOf(shape.slice(axis + 1)),
});
