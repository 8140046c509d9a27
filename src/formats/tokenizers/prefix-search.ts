/** Finds the entries of a list that a text begins with at a place, the shortest first. */
export type PrefixSearch = (text: string, at: number, found: (index: number, length: number) => void) => void;

/** The first place in `order[low..high)` where `isPast` holds; it holds for all later ones too. */
const firstWhere = ([low, high]: readonly [number, number], isPast: (place: number) => boolean): number => {
  let [from, to] = [low, high];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (isPast(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
};

/** Places of all entries that begin with the same UTF-16 unit. */
const groups = (sorted: readonly string[]): ReadonlyMap<number, readonly [number, number]> => {
  const found = new Map<number, readonly [number, number]>();
  let start = 0;
  sorted.forEach((entry, i) => {
    if (entry.charCodeAt(0) === sorted[i + 1]?.charCodeAt(0)) return;
    found.set(entry.charCodeAt(0), [start, i + 1]);
    start = i + 1;
  });
  return found;
};

/** @param entries without doubles, none empty */
export const makePrefixSearch = (entries: readonly string[]): PrefixSearch => {
  const order = entries.map((_, i) => i).sort((a, b) => ((entries[a] ?? '') < (entries[b] ?? '') ? -1 : 1));
  const sorted = order.map((i) => entries[i] ?? '');
  const starts = groups(sorted);
  const unitAt = (place: number, depth: number): number => {
    const entry = sorted[place] ?? '';
    return depth < entry.length ? entry.charCodeAt(depth) : -1;
  };
  return (text, at, found) => {
    let range = starts.get(text.charCodeAt(at));
    for (let depth = 1; range && range[0] < range[1]; depth++) {
      const first = range[0];
      if (sorted[first]?.length === depth) found(order[first] ?? 0, depth);
      if (at + depth >= text.length) return;
      const unit = text.charCodeAt(at + depth);
      const low = firstWhere(range, (place) => unitAt(place, depth) >= unit);
      range = [low, firstWhere([low, range[1]], (place) => unitAt(place, depth) > unit)];
    }
  };
};
