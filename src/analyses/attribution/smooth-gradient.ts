import { uniform } from '../../engine/index.js';
import type { Attribution, SmoothScalar } from './model.js';
import { combined, rowSums, vectors, type Vectors } from './vectors.js';

export interface SmoothGradientOptions {
  /** How many noisy inputs. AllenNLP 10, Captum 5. */
  readonly samples: number;
  /** Standard deviation of the noise: of the range of the input's numbers (AllenNLP's 0.01), or by itself (Captum's 1). */
  readonly stdev: number;
  readonly of: 'range' | 'one';
  /** Gradients alone (AllenNLP), or times the input that they were taken at. */
  readonly timesInput: boolean;
  /** `mean`; `square`: the mean of squares; `variance`. Captum's smoothgrad, smoothgrad_sq and vargrad. */
  readonly average: 'mean' | 'square' | 'variance';
  /** Draws of a standard normal distribution, [sample]; drawn by the seed where left out. */
  readonly noise?: readonly Vectors[];
  readonly seed: number;
  readonly together?: number;
}

/** Standard normal numbers that depend on seed and place alone. Box & Muller 1958. */
export const normal = ({ seed, sequence, step }: { seed: number; sequence: number; step: number }): number => {
  const a = uniform({ seed, sequence: 2 * sequence, step });
  const b = uniform({ seed, sequence: 2 * sequence + 1, step });
  return Math.sqrt(-2 * Math.log(1 - a)) * Math.cos(2 * Math.PI * b);
};

const drawn = ({ rows, width }: Vectors, { samples, seed }: SmoothGradientOptions): readonly Vectors[] =>
  Array.from({ length: samples }, (_, sequence) => {
    const noise = vectors(rows, width);
    noise.data.forEach((_n, step) => (noise.data[step] = normal({ seed, sequence, step })));
    return noise;
  });

const spanOf = ({ data }: Vectors): number =>
  data.reduce((a, b) => Math.max(a, b), -Infinity) - data.reduce((a, b) => Math.min(a, b), Infinity);

const averaged = (all: readonly Vectors[], average: SmoothGradientOptions['average']): Vectors => {
  const mean = (of: (x: number) => number): Vectors => {
    const sum = vectors(all[0]?.rows ?? 0, all[0]?.width ?? 0);
    for (const { data } of all) data.forEach((x, i) => (sum.data[i] = (sum.data[i] ?? 0) + of(x)));
    sum.data.forEach((x, i) => (sum.data[i] = x / all.length));
    return sum;
  };
  if (average === 'mean') return mean((x) => x);
  const squares = mean((x) => x * x);
  return average === 'square'
    ? squares
    : combined(
        squares,
        mean((x) => x),
        (s, m) => s - m ** 2,
      );
};

/** Gradients averaged over inputs with noise. @source Smilkov 2017, "SmoothGrad"; Adebayo 2018 for the variance */
export const smoothGradient = async (
  scalar: SmoothScalar,
  options: SmoothGradientOptions,
): Promise<Attribution & { readonly elements: Vectors }> => {
  const { stdev, of, timesInput, average, noise = drawn(scalar.input, options), together = 16 } = options;
  const scale = of === 'range' ? stdev * spanOf(scalar.input) : stdev;
  const slopes = async (): Promise<readonly Vectors[]> => {
    const all: Vectors[] = [];
    for (let at = 0; at < noise.length; at += together) {
      const points = noise.slice(at, at + together).map((n) => combined(scalar.input, n, (x, e) => x + e * scale));
      for (const [i, { gradient }] of (await scalar.slopes(points)).entries())
        all.push(timesInput ? combined(gradient, points[i] ?? gradient, (g, x) => g * x) : gradient);
    }
    return all;
  };
  const [[value = NaN], all] = await Promise.all([scalar.values([scalar.input]), slopes()]); // both may run together
  const elements = averaged(all, average);
  return { scores: rowSums(elements), elements, value };
};
