/**
 * For each position of one sequence the position of another that stands for it; undefined where none does. Of equal
 * lengths, the same; else what both begin with alike, and what both end with alike.
 */
export const alignTokens = (ids: readonly number[], other: readonly number[]): readonly (number | undefined)[] => {
  if (ids.length === other.length) return ids.map((_, i) => i);
  const shorter = Math.min(ids.length, other.length);
  let front = 0;
  while (front < shorter && ids[front] === other[front]) front++;
  let back = 0;
  while (back < shorter - front && ids.at(-1 - back) === other.at(-1 - back)) back++;
  return ids.map((_, i) => {
    if (i < front) return i;
    return i >= ids.length - back ? i - ids.length + other.length : undefined;
  });
};
