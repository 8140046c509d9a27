import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { float16ToNumber, numberToFloat16 } from './half.js';
import { histogram } from './histogram.js';
import { levelsOf, maxTile, pixelsAt } from './max-tile.js';
import { reduce } from './reduce.js';
import { float64, int64From, type Tensor } from './tensor.js';
import { topElements, type TopBy } from './top-elements.js';

const row = (...values: number[]): Tensor<'float64'> => float64([values.length], Float64Array.from(values));
const any = fc.oneof(fc.double(), fc.constantFrom(NaN, Infinity, -Infinity, 0, -0, 1, 1, 2));
const rowOf = fc.array(any, { maxLength: 60 }).map((values) => row(...values));

describe('histogram', () => {
  it('counts in bins of equal width, the last with its upper end', () => {
    expect(histogram(row(0, 1, 2, 3, 4), { bins: 2 })).toEqual({
      ...{ low: 0, high: 4, counts: [2, 3] },
      ...{ below: 0, above: 0, nan: 0, inf: 0 },
    });
  });

  it('counts what is outside, infinite and no number apart', () => {
    const { counts, ...rest } = histogram(row(-5, 0, 1, 9, NaN, Infinity, -Infinity), { bins: 1, range: [0, 2] });
    expect([counts, rest]).toEqual([[2], { low: 0, high: 2, below: 1, above: 1, nan: 1, inf: 2 }]);
  });

  it('puts equal numbers into the first bin, and has no ends where nothing is finite', () => {
    expect(histogram(row(7, 7), { bins: 3 }).counts).toEqual([2, 0, 0]);
    expect(histogram(row(NaN), { bins: 2 })).toMatchObject({ low: NaN, high: NaN, counts: [0, 0], nan: 1 });
  });

  it('counts integers', () => {
    expect(histogram(int64From([3], [1, 2, 3]), { bins: 3 }).counts).toEqual([1, 1, 1]);
  });

  it('counts every number once, up to the largest there are', () => {
    fc.assert(
      fc.property(rowOf, fc.integer({ min: 1, max: 9 }), (tensor, bins) => {
        const { counts, below, above, nan, inf } = histogram(tensor, { bins });
        expect(counts.length).toBe(bins);
        expect(counts.reduce((a, b) => a + b, below + above + nan + inf)).toBe(tensor.data.length);
      }),
    );
  });
});

describe('topElements', () => {
  it('gives indices along each axis', () => {
    const matrix = float64([2, 3], Float64Array.of(1, 9, 2, -20, 5, 9));
    expect(topElements(matrix, 3)).toEqual([
      { index: [0, 1], value: 9 },
      { index: [1, 2], value: 9 },
      { index: [1, 1], value: 5 },
    ]);
    expect(topElements(matrix, 1, 'absolute')).toEqual([{ index: [1, 0], value: -20 }]);
    expect(topElements(matrix, 1, 'least')).toEqual([{ index: [1, 0], value: -20 }]);
  });

  it('is what sorting gives, the earlier of equal ones first, without NaN', () => {
    const keys: Record<TopBy, (x: number) => number> = { greatest: (x) => x, least: (x) => -x, absolute: Math.abs };
    const by = fc.constantFrom<TopBy>('greatest', 'least', 'absolute');
    fc.assert(
      fc.property(rowOf, fc.integer({ min: 1, max: 70 }), by, (tensor, k, order) => {
        const sorted = [...tensor.data.keys()]
          .filter((i) => !Number.isNaN(tensor.data[i]))
          .map((i) => ({ i, key: keys[order](tensor.data[i] ?? 0) }))
          .sort((a, b) => (a.key === b.key ? a.i - b.i : a.key > b.key ? -1 : 1));
        expect(topElements(tensor, k, order).map(({ index }) => index[0])).toEqual(
          sorted.slice(0, k).map(({ i }) => i),
        );
      }),
    );
  });
});

describe('reduce', () => {
  const cube = float64(
    [2, 3, 2],
    Float64Array.from({ length: 12 }, (_, i) => i - 4),
  );

  it('keeps the order of what is left', () => {
    // rows of [layer 2][row 3][column 2]: -4 -3 | -2 -1 | 0 1 ; 2 3 | 4 5 | 6 7
    expect([...reduce(cube, [1], 'sum').data]).toEqual([-6, -3, 12, 15]);
    expect([...reduce(cube, [0, 2], 'max').data]).toEqual([3, 5, 7]);
    expect([...reduce(cube, [0, 2], 'absmax').data]).toEqual([4, 5, 7]);
    expect([...reduce(cube, [2, 0, 1], 'mean').data]).toEqual([1.5]);
    expect(reduce(cube, [0, 1, 2], 'norm').data[0]).toBeCloseTo(Math.sqrt(170), 12);
  });

  it('lets NaN be seen', () => {
    for (const by of ['mean', 'sum', 'min', 'max', 'absmax', 'norm'] as const)
      expect(reduce(row(1, NaN, 2), [0], by).data[0]).toBeNaN();
  });
});

describe('maxTile', () => {
  const matrix = float64(
    [3, 5],
    Float64Array.from({ length: 15 }, (_, i) => (i % 2 ? -i : i)),
  );

  it('is the matrix itself at level 0, cut at the edges', () => {
    const tile = maxTile(matrix, { level: 0, tile: [1, 1], size: 2, by: 'max' });
    expect([tile.shape, [...tile.data]]).toEqual([
      [1, 2],
      [12, -13],
    ]);
  });

  it('has the greatest of each cell, or the farthest from 0 with its sign', () => {
    expect([...maxTile(matrix, { level: 1, tile: [0, 0], size: 8, by: 'max' }).data]).toEqual([6, 8, 4, 10, 12, 14]);
    expect([...maxTile(matrix, { level: 1, tile: [0, 0], size: 8, by: 'absmax' }).data]).toEqual([
      6, 8, -9, -11, -13, 14,
    ]);
  });

  it('ends in one pixel', () => {
    expect(levelsOf(3, 5)).toBe(4);
    expect([pixelsAt(3, 3), pixelsAt(5, 3)]).toEqual([1, 1]);
    expect([...maxTile(matrix, { level: 3, tile: [0, 0], size: 1, by: 'max' }).data]).toEqual([14]);
    expect(levelsOf(1, 1)).toBe(1);
  });

  it('shows NaN, and is empty outside', () => {
    const broken = float64([2, 2], Float64Array.of(5, NaN, 7, 1));
    expect([...maxTile(broken, { level: 1, tile: [0, 0], size: 1, by: 'max' }).data]).toEqual([NaN]);
    expect(maxTile(broken, { level: 0, tile: [9, 0], size: 4, by: 'max' }).shape).toEqual([0, 2]);
  });

  it('puts tiles together to the whole level', () => {
    const arbitrary = fc.record({ rows: fc.integer({ min: 1, max: 9 }), columns: fc.integer({ min: 1, max: 9 }) });
    fc.assert(
      fc.property(arbitrary, fc.nat(3), fc.integer({ min: 1, max: 4 }), ({ rows, columns }, level, size) => {
        const some = float64(
          [rows, columns],
          Float64Array.from({ length: rows * columns }, (_, i) => (i * 37) % 11),
        );
        const whole = maxTile(some, { level, tile: [0, 0], size: 99, by: 'max' });
        const [high = 0, wide = 0] = whole.shape;
        for (let r = 0; r < high; r++)
          for (let c = 0; c < wide; c++) {
            const at = [Math.floor(r / size), Math.floor(c / size)] as const;
            const tile = maxTile(some, { level, tile: at, size, by: 'max' });
            const value = tile.data[(r - at[0] * size) * (tile.shape[1] ?? 0) + (c - at[1] * size)];
            expect(value).toBe(whole.data[r * wide + c]);
          }
      }),
    );
  });
});

describe('numberToFloat16', () => {
  it('is undone by reading, for every bit pattern', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const number = float16ToNumber(bits);
      if (Number.isNaN(number)) expect(float16ToNumber(numberToFloat16(number))).toBeNaN();
      else if (numberToFloat16(number) !== bits) expect.fail(`${bits} became ${numberToFloat16(number)}`);
    }
  });

  it('takes the nearest, of two the even one', () => {
    expect(numberToFloat16(1 + 1 / 2048)).toBe(numberToFloat16(1));
    expect(numberToFloat16(1 + 3 / 2048)).toBe(numberToFloat16(1 + 2 / 1024));
    expect(numberToFloat16(2048 - 0.5)).toBe(numberToFloat16(2048));
    expect(numberToFloat16(2 ** -25)).toBe(0);
    expect(numberToFloat16(2 ** -25 * 1.01)).toBe(1);
    expect(numberToFloat16(65519.99)).toBe(0x7bff);
    expect(numberToFloat16(-65520)).toBe(0xfc00);
  });
});
