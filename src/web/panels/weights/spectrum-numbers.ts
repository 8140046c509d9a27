/** The singular values of a matrix, the greatest first: `count` is how many there are. */
export interface Spectrum {
  readonly values: readonly number[];
  readonly count: number;
  /** ‖A‖: the root of the sum of all squares. */
  readonly norm: number;
  readonly shape: readonly number[];
}

export interface SpectrumNumbers {
  readonly greatest: number;
  /** ‖A‖² / σ₁²: how many directions as strong as the first. */
  readonly stableRank: number;
  /** exp of the entropy of σ / Σσ. Undefined where not all values are there. @source Roy & Vetterli 2007 */
  readonly effectiveRank: number | undefined;
  /** Values beyond what float32 rounds away, as numpy's matrix_rank counts. */
  readonly rank: number | undefined;
  /** σ₁ / σ of the last; infinite where that is rounding. */
  readonly condition: number | undefined;
}

const epsilon = 2 ** -23;

export const spectrumNumbers = ({ values, count, norm, shape }: Spectrum): SpectrumNumbers => {
  const greatest = values[0] ?? 0;
  const stableRank = greatest > 0 ? (norm / greatest) ** 2 : 0;
  if (values.length < count)
    return { greatest, stableRank, effectiveRank: undefined, rank: undefined, condition: undefined };
  const sum = values.reduce((a, b) => a + b, 0);
  const shares = values.map((x) => (sum > 0 ? x / sum : 0)).filter((p) => p > 0);
  const entropy = -shares.reduce((total, p) => total + p * Math.log(p), 0);
  const smallest = greatest * epsilon * Math.max(...shape, 1);
  const rank = values.filter((x) => x > smallest).length;
  return {
    ...{ greatest, stableRank, rank },
    effectiveRank: shares.length === 0 ? 0 : Math.exp(entropy),
    condition: rank < count ? Infinity : greatest / (values.at(-1) ?? 0),
  };
};

/** Points of a line of values on a logarithmic scale, for a picture of 100 x 40. */
export const spectrumLine = ({ values, count }: Pick<Spectrum, 'values' | 'count'>, floor: number): string => {
  const greatest = Math.log(Math.max(values[0] ?? 1, Number.MIN_VALUE));
  const depth = greatest - Math.log(floor) || 1;
  return values
    .map((x, i) => {
      const down = Math.min(1, (greatest - Math.log(Math.max(x, floor))) / depth);
      return `${((100 * (i + 0.5)) / count).toFixed(2)},${(1 + 38 * down).toFixed(2)}`;
    })
    .join(' ');
};

/** The least number that the line shows: the last value, or 1e-6 of the first where that is less. */
export const spectrumFloor = ({ values }: Pick<Spectrum, 'values'>): number => {
  const greatest = values[0] ?? 1;
  return Math.max(values.at(-1) ?? 0, greatest * 1e-6) || 1e-12;
};
