/** Numbers one behind the other as points of a polyline in a box of 100 x 30; those that are missing interrupt it. */
export const curveOf = (
  values: readonly (number | null)[],
): { readonly lines: readonly string[]; readonly low: number; readonly high: number } => {
  const there = values.filter((x) => x !== null);
  const [low, high] = [Math.min(...there), Math.max(...there)];
  const x = (i: number): number => (values.length < 2 ? 50 : (100 * i) / (values.length - 1));
  const y = (value: number): number => (high > low ? 29 - (28 * (value - low)) / (high - low) : 15);
  const lines: string[][] = [[]];
  values.forEach((value, i) => {
    if (value === null) lines.push([]);
    else lines.at(-1)?.push(`${x(i).toFixed(2)},${y(value).toFixed(2)}`);
  });
  return { lines: lines.filter((line) => line.length > 0).map((line) => line.join(' ')), low, high };
};

/** How long a bar is, of norms over many orders of magnitude: by the logarithm, the greatest is 1. */
export const logShare = (value: number | null, all: readonly (number | null)[]): number => {
  const there = all.filter((x): x is number => x !== null && x > 0);
  if (value === null || value <= 0 || there.length === 0) return 0;
  const [low, high] = [Math.log10(Math.min(...there)), Math.log10(Math.max(...there))];
  const from = Math.min(low, high - 2); // two orders at the least, so that what is alike looks alike
  return (Math.log10(value) - from) / (high - from);
};
