import { describe, expect, it } from 'vitest';
import { kindShare, type HeadKind } from './kinds.js';

const ids = [9, 5, 6, 5, 6];
/** A head that looks from each query at one key alone. */
const looking = (keys: readonly number[]) => {
  const data = new Float32Array(keys.length ** 2);
  keys.forEach((k, q) => void (data[q * keys.length + k] = 1));
  return { rows: keys.length, columns: keys.length, data };
};

describe('kinds of heads', () => {
  it.each<[HeadKind, readonly number[], number]>([
    ['previous', [0, 0, 1, 2, 3], 1],
    ['previous', [0, 1, 2, 3, 4], 0],
    ['first', [0, 0, 0, 0, 0], 1],
    ['same', [0, 1, 2, 1, 2], 1],
    ['after', [0, 1, 2, 2, 3], 1],
    ['after', [0, 0, 0, 0, 0], 0],
  ])('%s of a head that looks at %j: %d', (kind, keys, share) => {
    expect(kindShare(looking(keys), ids, kind)).toBe(share);
  });
});
