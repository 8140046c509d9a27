import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { distanceBucket } from './distance.js';
import { makeInput, masked } from './inputs.js';
import { makeRows } from './rows.js';

interface Golden {
  readonly distances: readonly {
    readonly buckets: number;
    readonly maxDistance: number;
    readonly bidirectional: boolean;
    readonly span: number;
    /** [distance, class] wherever the class changes. */
    readonly changes: readonly (readonly [number, number])[];
  }[];
  /** By width: a row a position. */
  readonly sinusoids: Readonly<Record<string, readonly (readonly number[])[]>>;
}
const source = readFileSync(new URL('../../../test/golden/positions/golden.json', import.meta.url), 'utf8');
const golden = JSON.parse(source) as Golden;

describe('classes of distances are those of transformers', () => {
  it.each(golden.distances)(
    '$buckets up to $maxDistance, bidirectional: $bidirectional',
    ({ span, changes, ...rule }) => {
      const found: [number, number][] = [];
      for (let distance = -span; distance <= span; distance++) {
        const bucket = distanceBucket(distance, rule);
        if (bucket !== found.at(-1)?.[1]) found.push([distance, bucket]);
      }
      expect(found).toEqual(changes);
    },
  );

  it('are of key minus query, also for keys of earlier steps', () => {
    const rule = { rule: 'distance', buckets: 8, maxDistance: 12, bidirectional: false } as const;
    const rows = makeRows({ ids: [[1, 2]], past: 3, step: 1 });
    const { shape, data } = makeInput(rule, rows);
    expect(shape).toEqual([2, 5]);
    const distances = [-3, -2, -1, 0, 1, -4, -3, -2, -1, 0];
    expect([...data].map(Number)).toEqual(distances.map((d) => distanceBucket(d, rule)));
  });
});

describe('sines and cosines are those of transformers', () => {
  it.each(Object.entries(golden.sinusoids))('of width %s', (dim, table) => {
    const rows = makeRows({ ids: [[0, 0, 0, 0, 0, 0, 0]], past: 0, step: 0 });
    const { shape, data } = makeInput({ rule: 'sinusoid', dim: Number(dim) }, rows);
    expect(shape).toEqual([1, 7, Number(dim)]);
    table.flat().forEach((x, i) => {
      expect(Math.abs(Number(data[i]) - x), `number ${i}`).toBeLessThan(1e-7);
    });
  });

  it('go on from where the cache ends', () => {
    const later = makeInput({ rule: 'sinusoid', dim: 8 }, makeRows({ ids: [[0, 0]], past: 5, step: 3 }));
    expect([...later.data].slice(0, 8)).toEqual(golden.sinusoids['8']?.[5]?.map((x) => expect.closeTo(x, 6) as number));
  });
});

describe('the mask of the source', () => {
  it('hides what fills up shorter sources, and the second copy of a single token', () => {
    const hidden = Math.fround(masked);
    const mask = (ids: readonly (readonly number[])[]): number[] => {
      const encoder = makeRows({ ids, past: 0, step: 0 });
      return [...makeInput({ rule: 'source' }, makeRows({ ids: [[9]], past: 0, step: 0, source: encoder })).data].map(
        Number,
      );
    };
    expect(mask([[1, 2, 3], [4]])).toEqual([0, 0, 0, 0, hidden, hidden]);
    expect(mask([[1]])).toEqual([0, hidden]);
  });
});
