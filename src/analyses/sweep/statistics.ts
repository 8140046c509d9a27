/** A counted generator of numbers in [0, 1): splitmix32. The same seed gives the same numbers. */
export const randomNumbers = (seed: number): (() => number) => {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = state ^ (state >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
};

/** Normally distributed numbers of mean 0 and deviation 1. Box & Muller 1958. */
export const normalNumbers = (seed: number): (() => number) => {
  const random = randomNumbers(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
};

export const mean = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0) / numbers.length;

/** Pearson's correlation; NaN where one side does not vary. */
export const correlation = (a: readonly number[], b: readonly number[]): number => {
  const [meanA, meanB] = [mean(a), mean(b)];
  const sum = (f: (i: number) => number): number => a.reduce((total, _, i) => total + f(i), 0);
  const covariance = sum((i) => ((a[i] ?? 0) - meanA) * ((b[i] ?? 0) - meanB));
  const spread = Math.sqrt(sum((i) => ((a[i] ?? 0) - meanA) ** 2) * sum((i) => ((b[i] ?? 0) - meanB) ** 2));
  return covariance / spread;
};

const resamples = 1000;

/**
 * The middle 95 % of a statistic over samples drawn again from the same, with replacement: the percentile bootstrap.
 * @param statistic of the indices of a sample
 * @source Efron 1979, "Bootstrap methods: another look at the jackknife"
 */
export const bootstrap = (
  count: number,
  seed: number,
  statistic: (sample: readonly number[]) => number,
): readonly [number, number] => {
  const random = randomNumbers(seed);
  const drawn = Array.from({ length: resamples }, () =>
    statistic(Array.from({ length: count }, () => Math.floor(random() * count))),
  ).sort((a, b) => a - b);
  return [drawn[Math.floor(0.025 * resamples)] ?? NaN, drawn[Math.ceil(0.975 * resamples) - 1] ?? NaN];
};
