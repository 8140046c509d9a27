import { describe, expect, it } from 'vitest';
import type { CompareResult, LensResult } from '../../../protocol/index.js';
import { curvesOf, followedWords, leadersOf, pathOf } from './data.js';

const lens = (rows: Record<string, number>): LensResult => ({
  model: { family: 'x', layers: 1, heads: 1, modelDim: 1, vocab: 9, parameters: 1, fingerprint: '' },
  ...{ tokens: [], positions: [0], words: [{ id: 7, text: 'a' }] },
  rows: Object.entries(rows).map(([after, probability]) => ({
    after,
    cells: [{ top: [], words: [{ logit: 0, rank: 1, probability }], entropy: 0, norm: 1, change: null, broken: 0 }],
  })),
});

describe('the curves of words', () => {
  it('are matched by the names of layers: one that is skipped has no point before, one that is repeated none either', () => {
    const after = lens({ embed: 0.1, 'blocks.1': 0.5, 'blocks.1#2': 0.6 });
    const before = lens({ embed: 0.1, 'blocks.0': 0.2, 'blocks.1': 0.9 });
    expect(curvesOf({ position: 0, after, before })).toEqual([
      { word: 0, isBefore: true, points: [0.1, 0.9, null] },
      { word: 0, isBefore: false, points: [0.1, 0.5, 0.6] },
    ]);
  });

  it('break where there is no point', () => {
    expect(pathOf([0, null, 1, 2], (i, y) => [i, y])).toBe('M0.0 0.0M2.0 1.0L3.0 2.0');
  });
});

describe('which word leads where', () => {
  const row = (after: string, id: number | undefined) => ({
    after,
    cells: [
      {
        ...{ top: id === undefined ? [] : [{ id, text: `w${id}`, logit: 0, probability: 1 }] },
        ...{ words: [], entropy: 0, norm: 1, change: null, broken: 0 },
      },
    ],
  });

  it('is told by layers that follow each other: a word may come back', () => {
    const rows = [row('embed', 1), row('blocks.0', 2), row('blocks.1', 2), row('blocks.2', 1), row('blocks.3', 1)];
    expect(leadersOf({ rows })).toEqual([
      { text: 'w1', from: 'embed', to: 'embed' },
      { text: 'w2', from: 'blocks.0', to: 'blocks.1' },
      { text: 'w1', from: 'blocks.2', to: 'blocks.3' },
    ]);
  });

  it('leaves out rows that say nothing', () => {
    expect(leadersOf({ rows: [row('embed', undefined), row('blocks.0', 2)] })).toEqual([
      { text: 'w2', from: 'blocks.0', to: 'blocks.0' },
    ]);
  });
});

describe('the words that are followed', () => {
  const scored = (id: number) => ({ id, text: `w${id}`, logit: 0, probability: 0.1 });
  const run = (next: readonly number[], masks?: Readonly<Record<number, readonly number[]>>) => ({
    next: next.map(scored),
    ...(masks
      ? {
          masks: Object.entries(masks).map(([position, ids]) => ({
            position: Number(position),
            next: ids.map(scored),
          })),
        }
      : {}),
  });
  const compared = (before: object, after: object): CompareResult => ({ before, after }) as CompareResult;

  it('are the tracked one and the likeliest of both runs', () => {
    expect(followedWords(compared(run([1, 2]), run([3, 1])), 9)).toEqual([9, 3, 1, 2]);
  });

  it('of masks are those at the mask in focus, or at the first', () => {
    const both = compared(run([], { 2: [1], 6: [4] }), run([], { 2: [2], 6: [5] }));
    expect(followedWords(both, undefined, 6)).toEqual([5, 4]);
    expect(followedWords(both, undefined, 3)).toEqual([2, 1]);
  });
});
