/** What the page's panels compute, against numpy: test/golden/analyses/generate.py. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { HeadMean, hide, meanOf, Rollout, valueNorms, weighted, type Heads } from '../src/analyses/attention/index.js';
import { spectrum } from '../src/analyses/spectrum/index.js';
import { float32 } from '../src/tensor/index.js';
import { root } from './support/root.js';

interface Golden {
  readonly attention: { readonly shape: readonly [number, number, number, number]; readonly data: readonly number[] };
  readonly rollout: readonly number[];
  readonly values: readonly number[];
  readonly weighted: readonly number[];
  readonly mean: readonly number[];
  readonly hidden: {
    readonly tokens: readonly number[];
    readonly plain: readonly number[];
    readonly renormalised: readonly number[];
  };
  readonly spectra: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly data: readonly number[]; readonly values: number[] }>
  >;
}
const golden = JSON.parse(readFileSync(path.join(root, 'test/golden/analyses/analyses.json'), 'utf8')) as Golden;
const [layers, heads, tokens] = golden.attention.shape;

const layerOf = (layer: number): Heads => {
  const size = heads * tokens * tokens;
  const data = Float32Array.from(golden.attention.data.slice(layer * size, (layer + 1) * size));
  return { heads, queries: tokens, keys: tokens, data };
};
const far = (a: ArrayLike<number>, b: readonly number[]): number =>
  Math.max(Math.abs(a.length - b.length), ...b.map((x, i) => Math.abs(x - (a[i] ?? NaN))));

describe('attention', () => {
  it('rolls out through all layers', async () => {
    const rollout = new Rollout(tokens);
    for (let layer = 0; layer < layers; layer++) await rollout.add(meanOf(layerOf(layer)));
    expect(far(rollout.through, golden.rollout)).toBeLessThan(1e-6);
  });

  it('is weighted by the length of the values, which heads of a group share', () => {
    const values = valueNorms(float32([1, tokens, 2, 3], Float32Array.from(golden.values)));
    expect(far(weighted(layerOf(1), values).data, golden.weighted)).toBeLessThan(1e-6);
  });

  it('leaves tokens out, with and without the rest summing to 1', () => {
    const { tokens: left, plain, renormalised } = golden.hidden;
    const given = { queries: left, keys: left };
    expect(far(hide(layerOf(1), { ...given, renormalise: false }).data, plain)).toBeLessThan(1e-7);
    expect(far(hide(layerOf(1), { ...given, renormalise: true }).data, renormalised)).toBeLessThan(1e-6);
  });

  it('has the mean of chosen heads, and refuses one of another shape', () => {
    const mean = new HeadMean();
    for (const head of [0, 3]) expect(mean.add(layerOf(1), head)).toBe(true);
    expect(far(mean.mean, golden.mean)).toBeLessThan(1e-7);
    expect(mean.add({ heads: 1, queries: 1, keys: 2, data: new Float32Array(2) }, 0)).toBe(false);
  });

  it('can be stopped while it rolls out', async () => {
    const rollout = new Rollout(256, () => {
      throw new Error('stopped');
    });
    const mean = new Float32Array(256 * 256).fill(1 / 256);
    await rollout.add(mean);
    await expect(rollout.add(mean)).rejects.toThrow('stopped');
  });
});

describe('the spectrum', () => {
  it.each(Object.keys(golden.spectra))('of a matrix that is %s', async (name) => {
    const { shape, data, values } = golden.spectra[name] ?? { shape: [], data: [], values: [] };
    const found = await spectrum(float32(shape, Float32Array.from(data)));
    // Roots of a Gram matrix's values: near 0 they are off by the root of what float64 rounds away.
    const [most = 0] = values;
    expect(found.values).toHaveLength(values.length);
    for (const [i, x] of values.entries()) {
      const allowed = x > 1e-6 * most ? 1e-9 * most : 1e-7 * most;
      expect(Math.abs((found.values[i] ?? NaN) - x)).toBeLessThanOrEqual(allowed);
    }
    expect(found.norm).toBeCloseTo(Math.hypot(...values), 4);
    expect(found.count).toBe(Math.min(...shape));
  });

  it('of a large matrix has the greatest values, known by how it was made', async () => {
    // A sum of a few outer products of cosines, which are orthogonal to each other.
    const [rows, columns, kinds] = [1300, 1400, 5];
    const wave = (n: number, k: number, i: number): number =>
      Math.sqrt(2 / n) * Math.cos((Math.PI * k * (i + 0.5)) / n);
    const data = new Float32Array(rows * columns);
    for (let r = 0; r < rows; r++)
      for (let k = 1; k <= kinds; k++) {
        const u = 10 * 2 ** -k * wave(rows, k, r);
        for (let c = 0, at = r * columns; c < columns; c++, at++) data[at] = (data[at] ?? 0) + u * wave(columns, k, c);
      }
    const found = await spectrum(float32([rows, columns], data));
    expect(found.count).toBe(rows);
    for (let k = 1; k <= kinds; k++) expect(found.values[k - 1]).toBeCloseTo(10 * 2 ** -k, 4);
    expect(found.values[kinds]).toBeLessThan(1e-4);
  }, 60_000);

  it('can be stopped', async () => {
    const large = float32(
      [600, 600],
      Float32Array.from({ length: 360_000 }, (_, i) => Math.sin(i)),
    );
    await expect(
      spectrum(large, () => {
        throw new Error('stopped');
      }),
    ).rejects.toThrow('stopped');
  });
});
