/** Which position of B stands for each of A; undefined where A has a token that B has not. */
export type Alignment = readonly (number | undefined)[];

/** Texts with more tokens than this are not aligned by what they have in common. */
const most = 3000;

/** [i][j]: how many tokens the ends from i and j have in common, in order. */
const common = (a: readonly string[], b: readonly string[]): readonly Uint16Array[] => {
  const table = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--) {
      const [row, below] = [table[i], table[i + 1]];
      if (!row || !below) continue;
      row[j] = a[i] === b[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
    }
  return table;
};

/**
 * Tokens of two texts that stand for each other. Texts of one length are aligned place by place, so that a word stands
 * for the one in its stead; else tokens that both have, in order (the longest common subsequence).
 */
export const align = (a: readonly string[], b: readonly string[]): Alignment => {
  if (a.length === b.length) return a.map((_, i) => i);
  if (Math.max(a.length, b.length) > most) return a.map((token, i) => (token === b[i] ? i : undefined));
  const table = common(a, b);
  const found: (number | undefined)[] = [];
  for (let j = 0; found.length < a.length;) {
    const i = found.length;
    if (j < b.length && a[i] === b[j]) found.push(j++);
    else if (j < b.length && (table[i]?.[j + 1] ?? 0) >= (table[i + 1]?.[j] ?? 0)) j++;
    else found.push(undefined);
  }
  return found;
};
