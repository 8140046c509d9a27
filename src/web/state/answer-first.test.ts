import { describe, expect, it } from 'vitest';
import type { ComparedRun, CompareResult } from '../../protocol/index.js';
import { isAnswerFirst, withKnown } from './answer-first.js';

const scored = (id: number) => ({ id, text: `${id}`, logit: 0, probability: 0.5 });
const run = (ids: readonly number[], best: readonly number[]): ComparedRun => ({
  tokens: ids.map((id) => ({ id, text: `${id}` })),
  ...{ next: [scored(best.at(-1) ?? 0)], words: [], best: best.map(scored), notes: [] },
  surprise: best.length === ids.length ? ids.map((id) => id) : ids.map(() => null),
  entropy: best.map((id) => id / 10),
});
const result = (ids: readonly number[], best: readonly number[], kl: number[], changed: number[]): CompareResult => ({
  ...{ model: { vocab: 100 } as CompareResult['model'], before: run(ids, best), after: run(ids, best) },
  ...{ position: ids.length - 1, kl, changed, seconds: 0, reused: 0 },
});

describe('an answer that comes first', () => {
  const known = result([1, 2, 3], [4, 5, 6], [0.1, 0.2, 0.3], [1, 2]);

  it('is told at once, beside what was known of the other tokens', () => {
    const shown = withKnown(result([1, 2, 3], [9], [0.5], []), known);
    expect(shown.after.best.map((b) => b.id)).toEqual([4, 5, 9]);
    expect(shown.after.surprise).toEqual([1, 2, 3]);
    expect(shown.kl).toEqual([0.1, 0.2, 0.5]);
    expect(shown.changed).toEqual([1]);
    expect(shown.after.next[0]?.id).toBe(9);
  });

  it('stands alone where the text is another', () => {
    const answer = result([1, 2, 7], [9], [0.5], []);
    expect(withKnown(answer, known)).toBe(answer);
    expect(withKnown(answer, undefined)).toBe(answer);
  });

  it('is asked for where the scores of all tokens are many', () => {
    expect(isAnswerFirst(undefined)).toBe(true);
    expect(isAnswerFirst(known)).toBe(false);
    expect(isAnswerFirst({ ...known, model: { ...known.model, vocab: 2 ** 19 } })).toBe(true);
  });
});
