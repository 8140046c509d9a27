import { describe, expect, it } from 'vitest';
import type { ComparedRun, CompareResult } from '../../../protocol/index.js';
import { nextRows } from './rows.js';

const token = (id: number, probability: number) => ({ id, text: `t${id}`, logit: 0, probability });
const run = (next: ReturnType<typeof token>[], words: ReturnType<typeof token>[] = []): ComparedRun => ({
  ...{ tokens: [], next, best: [], surprise: [], entropy: [], notes: [] },
  words: words.map((w) => ({ ...w, rank: 9 })),
});
const result = (before: ComparedRun, after: ComparedRun): CompareResult => ({
  model: { family: 'x', layers: 1, heads: 1, modelDim: 1, vocab: 9, parameters: 1, fingerprint: '' },
  ...{ before, after, position: 0, kl: [], changed: [], seconds: 0, reused: 0 },
});

describe('the rows of the next table', () => {
  it('have the tokens of both runs, the likeliest of either first', () => {
    const rows = nextRows(result(run([token(1, 0.9), token(2, 0.1)]), run([token(3, 0.95), token(1, 0.02)])), 5);
    expect(rows.map((r) => [r.id, r.before?.probability, r.after?.probability])).toEqual([
      [3, undefined, 0.95],
      [1, 0.9, 0.02],
      [2, 0.1, undefined],
    ]);
  });

  it('keep the followed word, however unlikely', () => {
    const followed = [token(7, 0.0001)];
    const before = run([token(1, 0.5), token(2, 0.3), token(3, 0.2)], followed);
    expect(nextRows(result(before, run([], followed)), 3).map((r) => r.id)).toEqual([1, 2, 7]);
  });

  it('are the labels of a classifier', () => {
    const side = { ...run([]), labels: [token(0, 0.7), token(1, 0.3)] };
    expect(nextRows(result(side, side), 5).map((r) => r.id)).toEqual([0, 1]);
  });
});
