/** Something that stands out among its like in other layers. */
export interface Outlier {
  readonly name: string;
  readonly relative: number;
  /** Of the same thing in all layers. */
  readonly median: number;
}

const median = (numbers: readonly number[]): number => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(half)] ?? NaN)
    : ((sorted[half - 1] ?? NaN) + (sorted[half] ?? NaN)) / 2;
};

/** The name with its numbers left open: `blocks.*.attn_out`. */
const kindOf = (name: string): string => name.replaceAll(/(?<=^|\.)\d+(?=\.|$)/g, '*');

const grouped = <T extends { readonly name: string }>(items: readonly T[]): Map<string, T[]> => {
  const kinds = new Map<string, T[]>();
  for (const item of items) kinds.set(kindOf(item.name), [...(kinds.get(kindOf(item.name)) ?? []), item]);
  return kinds;
};

/**
 * What differs far more than its like in other layers do: with noise everywhere, as after quantising, this is the place
 * to look at.
 * @param times how often the median it must be
 */
export const outliers = (
  items: readonly { readonly name: string; readonly relative: number }[],
  times = 5,
): readonly Outlier[] => {
  const kinds = grouped(items);
  return [...kinds.values()]
    .flatMap((group) => {
      const middle = median(group.map((i) => i.relative));
      if (group.length < 3) return [];
      return group.filter((i) => i.relative > times * middle && i.relative > 0).map((i) => ({ ...i, median: middle }));
    })
    .sort((a, b) => b.relative - a.relative);
};
