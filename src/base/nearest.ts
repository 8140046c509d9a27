/** Spelling help: the candidates closest to a word that was not found. */

/**
 * Edit distance (insert, delete, substitute: 1 each).
 * @source Levenshtein 1966; two-row dynamic programme of Wagner and Fischer 1974
 */
export const editDistance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitute, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
};

const longest = 200;

/** The `count` candidates nearest to `word`, nearest first; ties keep their order. Bounded for long words. */
export const nearest = (word: string, candidates: Iterable<string>, count = 3): string[] => {
  const target = word.slice(0, longest);
  const scored = [...candidates].map((name) => ({ name, distance: editDistance(target, name.slice(0, longest)) }));
  return scored
    .sort((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map((s) => s.name);
};
