import type { Tensor } from '../../../tensor/index.js';

const apart = (a: number | bigint, b: number | bigint, tolerance: (x: number) => number): boolean => {
  if (typeof a === 'bigint' || typeof b === 'bigint') return a !== b;
  return !(Object.is(a, b) || a === b || Math.abs(a - b) <= tolerance(a));
};

/**
 * Where a tensor differs from what is expected, in words; undefined where it does not. NaN equals NaN.
 * @param tolerance largest distance from the expected number, given that number
 */
export const difference = (
  expected: Tensor,
  actual: Tensor | undefined,
  tolerance: (x: number) => number,
): string | undefined => {
  if (!actual) return 'it is missing';
  const kind = (t: Tensor): string => t.dtype.replace('float64', 'float32');
  if (kind(actual) !== kind(expected)) return `it is ${actual.dtype}, not ${expected.dtype}`;
  if (actual.shape.join() !== expected.shape.join())
    return `its shape is [${actual.shape.join(', ')}], not [${expected.shape.join(', ')}]`;
  for (let i = 0; i < expected.data.length; i++) {
    const [e, a] = [expected.data[i] ?? 0, actual.data[i] ?? 0];
    if (apart(e, a, tolerance)) return `element ${i} is ${a.toString()}, not ${e.toString()}`;
  }
  return undefined;
};
