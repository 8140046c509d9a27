import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { divideDims, extentOf, formatType, multiplyDims, shapeOf, type Dim } from './value.js';

/** Products of numbers and names. */
const dims = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom('batch', 'position', 'key')), {
  maxLength: 5,
});
const extents = { batch: 2, position: 7, key: 11 };

describe('products of extents', () => {
  it('are numbers where all are fixed', () => {
    expect(multiplyDims([2, 3, 4])).toBe(24);
    expect(multiplyDims([])).toBe(1);
  });
  it('have sorted names and one factor', () => {
    expect(multiplyDims(['position', 2, 'batch', 3])).toBe('6*batch*position');
    expect(multiplyDims(['position', 1])).toBe('position');
    expect(multiplyDims(['2*position', 'position'])).toBe('2*position*position');
  });
  it('are 0 where one is', () => expect(multiplyDims(['position', 0])).toBe(0));
  it('do not depend on the order', () => {
    fc.assert(
      fc.property(dims, (d) => {
        expect(multiplyDims(d.toReversed())).toBe(multiplyDims(d));
      }),
    );
  });
  it('have the product of the extents', () => {
    fc.assert(
      fc.property(dims, (d) => {
        const product = d.reduce<number>((n, dim) => n * extentOf(dim, extents), 1);
        expect(extentOf(multiplyDims(d), extents)).toBe(product);
      }),
    );
  });
});

describe('quotients of extents', () => {
  it('take a factor and names away', () => {
    expect(divideDims('6*batch*position', '2*position')).toBe('3*batch');
    expect(divideDims(12, 4)).toBe(3);
    expect(divideDims('position', 'position')).toBe(1);
    expect(divideDims(0, 3)).toBe(0);
  });
  it.each<readonly [Dim, Dim]>([
    [7, 2],
    ['position', 'batch'],
    [4, 'position'],
    [3, 0],
    [0, 0],
    ['position', 'position*position'],
  ])('do not exist for %s / %s', (a, b) => expect(divideDims(a, b)).toBe(undefined));
  it('undo products', () => {
    fc.assert(
      fc.property(dims, dims, (a, b) => {
        expect(divideDims(multiplyDims([...a, ...b]), multiplyDims(b))).toBe(multiplyDims(a));
      }),
    );
  });
});

describe('extents in numbers', () => {
  it('are those given for the names', () => {
    expect(extentOf('3*batch*position', extents)).toBe(42);
    expect(shapeOf({ dtype: 'bool', shape: ['batch', 5], axes: ['', ''] }, extents)).toEqual([2, 5]);
  });
  it('are refused for a name that is not given', () => {
    expect(() => extentOf('past', extents)).toThrow('no extent given for past');
  });
});

it('a type reads as its axes, with the extents that are fixed', () => {
  const type = { dtype: 'float32', shape: ['batch', 'position', 768], axes: ['batch', 'position', 'model'] } as const;
  expect(formatType(type)).toBe('[batch, position, model 768]');
});
