import type { ComparedRun, CompareResult, ScoredToken } from '../../../protocol/index.js';

/** A token that either run finds likely. */
export interface NextRow {
  readonly id: number;
  readonly text: string;
  readonly before: ScoredToken | undefined;
  readonly after: ScoredToken | undefined;
  /** Less than this, where a run does not list it. */
  readonly below: { readonly before: number; readonly after: number };
}

/** What a run scores: next tokens, labels, or words at one of its masks. */
const scoresOf = (run: ComparedRun, mask: number): readonly ScoredToken[] =>
  run.labels ?? run.masks?.[mask]?.next ?? run.next;

/** Which of the masks stands at a position; the first where none does. */
export const maskAt = ({ masks = [] }: ComparedRun, position: number | undefined): number =>
  Math.max(
    0,
    masks.findIndex((mask) => mask.position === position),
  );

/** A word that is followed and is not among the likeliest. Its probability is the first mask's. */
const followed = ({ words }: ComparedRun, mask: number): readonly ScoredToken[] =>
  (mask > 0 ? [] : words).map(({ id, text, logit, probability }) => ({
    id,
    text,
    logit,
    probability: probability ?? 0,
  }));

/**
 * The tokens of both runs, the likeliest of either first; a followed word has a row whatever its probability.
 * @param most rows, at least 1
 * @param mask which mask's words
 */
export const nextRows = ({ before, after }: CompareResult, most: number, mask = 0): readonly NextRow[] => {
  const [old, now] = [
    [...scoresOf(before, mask), ...followed(before, mask)],
    [...scoresOf(after, mask), ...followed(after, mask)],
  ];
  const least = (list: readonly ScoredToken[]): number => Math.min(1, ...list.map((t) => t.probability));
  const below = { before: least(scoresOf(before, mask)), after: least(scoresOf(after, mask)) };
  const ids = [...new Set([...old, ...now].map((t) => t.id))];
  const rows = ids.map((id): NextRow => {
    const [one, other] = [old.find((t) => t.id === id), now.find((t) => t.id === id)];
    return { id, text: (one ?? other)?.text ?? '', before: one, after: other, below };
  });
  const best = ({ before: b, after: a }: NextRow): number => Math.max(b?.probability ?? 0, a?.probability ?? 0);
  const sorted = rows.sort((a, b) => best(b) - best(a) || a.id - b.id);
  const wanted = new Set(followed(before, mask).map((w) => w.id));
  const kept = sorted.slice(0, most);
  const missing = sorted.filter((row) => wanted.has(row.id) && !kept.includes(row));
  return [...kept.slice(0, most - missing.length), ...missing];
};

/** How far the answers of the two runs are apart, or what they say at a mask; undefined where nothing was compared. */
export const klOf = (result: CompareResult | undefined, mask = 0): number | null | undefined =>
  result && (result.kl[result.after.masks?.[mask]?.position ?? result.position] ?? result.kl.at(-1));
