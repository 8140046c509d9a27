import { describe, expect, it } from 'vitest';
import { bootstrap, mean, normalNumbers } from './statistics.js';

const numbers = [0.3, 1.2, -0.4, 2.2, 0.9, 0.1, 1.7, -1.1, 0.6, 3.1, 0.2, 0.8, 1.0, -0.2, 0.5];
const others = numbers.map((_, i) => 0.4 + Math.sin(i));
const of = (values: readonly number[], sample: readonly number[]): number => mean(sample.map((i) => values[i] ?? NaN));

describe('bootstrap', () => {
  // numpy 2.4.6: percentiles 2.5 and 97.5 of 400,000 samples, default_rng(0)
  it.each([
    ['a mean', (sample: readonly number[]) => of(numbers, sample), [0.23333, 1.26], 0.01],
    ['a ratio', (sample: readonly number[]) => of(numbers, sample) / of(others, sample), [0.359, 5.804], 0.3],
  ] as const)("of %s has, over many seeds, numpy's bounds", (_, statistic, expected, within) => {
    const all = Array.from({ length: 60 }, (_, seed) => bootstrap(numbers.length, seed, statistic));
    const bounds = [mean(all.map(([low]) => low)), mean(all.map(([, high]) => high))];
    expected.forEach((bound, i) => {
      expect(Math.abs((bounds[i] ?? NaN) - bound)).toBeLessThan(within);
    });
  });

  it('gives the same for the same seed, and a point where there is one number', () => {
    const statistic = (sample: readonly number[]) => of(numbers, sample);
    expect(bootstrap(numbers.length, 3, statistic)).toEqual(bootstrap(numbers.length, 3, statistic));
    expect(bootstrap(1, 3, statistic)).toEqual([0.3, 0.3]);
  });
});

describe('normalNumbers', () => {
  it('have mean 0 and deviation 1', () => {
    const next = normalNumbers(7);
    const drawn = Array.from({ length: 20_000 }, next);
    const centre = mean(drawn);
    expect(Math.abs(centre)).toBeLessThan(0.03);
    expect(Math.abs(Math.sqrt(mean(drawn.map((x) => (x - centre) ** 2))) - 1)).toBeLessThan(0.02);
  });
});
