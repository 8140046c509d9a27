import type { ScoredToken, StageView, StepView } from '../../../protocol/index.js';

/** A token after one rule: its probability, that it was removed, or undefined where it is too unlikely to be told. */
export type StageCell = { readonly probability: number; readonly logit: number | null } | 'removed' | undefined;

export interface StageRow {
  readonly id: number;
  readonly text: string;
  readonly cells: readonly StageCell[];
  readonly isTaken: boolean;
}

const cellOf = ({ top, left }: StageView, id: number): StageCell => {
  const found = top.find((t) => t.id === id);
  if (found) return { probability: found.probability, logit: found.logit };
  return left <= top.length ? 'removed' : undefined;
};

/**
 * Tokens by stages: the likeliest of what the model said, and of what was left in the end; the one that was taken is
 * always among them.
 * @param most rows
 */
export const stageRows = ({ stages, id: taken, text }: StepView, most: number): readonly StageRow[] => {
  const [first, last] = [stages[0]?.top ?? [], stages.at(-1)?.top ?? []];
  const all: readonly Pick<ScoredToken, 'id' | 'text'>[] = [...first.slice(0, most), ...last.slice(0, 3)];
  const named = new Map([...all, { id: taken, text }].map((t) => [t.id, t.text]));
  const order = (id: number): number => {
    const at = first.findIndex((t) => t.id === id);
    return at < 0 ? Infinity : at;
  };
  const ids = [...named.keys()].sort((a, b) => order(a) - order(b));
  const must = new Set([taken, ...last.slice(0, 3).map((t) => t.id)]);
  const room = Math.max(0, most - must.size);
  const kept = new Set([...must, ...ids.filter((id) => !must.has(id)).slice(0, room)]);
  return ids
    .filter((id) => kept.has(id))
    .map((id) => ({
      id,
      text: named.get(id) ?? '',
      cells: stages.map((stage) => cellOf(stage, id)),
      isTaken: id === taken,
    }));
};
