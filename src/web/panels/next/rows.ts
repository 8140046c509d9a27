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

/** What a run scores: next tokens, labels, or words at its first mask. */
const scoresOf = (run: ComparedRun): readonly ScoredToken[] => run.labels ?? run.masks?.[0]?.next ?? run.next;

/** A word that is followed and is not among the likeliest. */
const followed = ({ words }: ComparedRun): readonly ScoredToken[] =>
  words.map(({ id, text, logit, probability }) => ({ id, text, logit, probability: probability ?? 0 }));

/**
 * The tokens of both runs, the likeliest of either first; a followed word has a row whatever its probability.
 * @param most rows, at least 1
 */
export const nextRows = ({ before, after }: CompareResult, most: number): readonly NextRow[] => {
  const [old, now] = [
    [...scoresOf(before), ...followed(before)],
    [...scoresOf(after), ...followed(after)],
  ];
  const least = (list: readonly ScoredToken[]): number => Math.min(1, ...list.map((t) => t.probability));
  const below = { before: least(scoresOf(before)), after: least(scoresOf(after)) };
  const ids = [...new Set([...old, ...now].map((t) => t.id))];
  const rows = ids.map((id): NextRow => {
    const [one, other] = [old.find((t) => t.id === id), now.find((t) => t.id === id)];
    return { id, text: (one ?? other)?.text ?? '', before: one, after: other, below };
  });
  const best = ({ before: b, after: a }: NextRow): number => Math.max(b?.probability ?? 0, a?.probability ?? 0);
  const sorted = rows.sort((a, b) => best(b) - best(a) || a.id - b.id);
  const wanted = new Set(before.words.map((w) => w.id));
  const kept = sorted.slice(0, most);
  const missing = sorted.filter((row) => wanted.has(row.id) && !kept.includes(row));
  return [...kept.slice(0, most - missing.length), ...missing];
};

/** How far the answers of the two runs are apart; undefined where nothing was compared. */
export const klOf = (result: CompareResult | undefined): number | null | undefined =>
  result && (result.kl[result.position] ?? result.kl.at(-1));
