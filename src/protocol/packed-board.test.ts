import { describe, expect, it } from 'vitest';
import type { LensCell, LensResult } from './lens.js';
import { packBoard, unpackBoard } from './packed-board.js';

const model = { family: 'x' } as unknown as LensResult['model'];
const word = { id: 7, text: ' a' };
const cell = (over: Partial<LensCell>): LensCell => ({
  ...{ top: [{ ...word, logit: 1.5, probability: 0.5 }], words: [{ logit: -2, probability: 0.25, rank: 3 }] },
  ...{ entropy: 1.25, norm: 8, change: 0.5, broken: 0 },
  ...over,
});
const resultOf = (rows: LensResult['rows'], words = [word]): LensResult => ({
  ...{ model, tokens: [word, word], positions: [0, 1], words, rows },
});
const both = (result: LensResult) => {
  const { result: packed, payload } = packBoard(result);
  return unpackBoard(packed, payload);
};

describe('a packed board', () => {
  it('has the cells that it was made of, the empty numbers too', () => {
    const rows = [
      { after: 'embed', cells: [cell({ change: null }), cell({ entropy: null, norm: null, broken: 4 })] },
      { after: 'blocks.0', cells: [cell({ words: [{ logit: null, probability: null, rank: 1 }] }), cell({})] },
    ];
    expect(both(resultOf(rows))).toEqual(rows.map((r) => r.cells));
  });

  it('keeps the difference to another run, and cells without words', () => {
    const rows = [
      { after: 'encoder.blocks.0', cells: [cell({ top: [], words: [], versus: { kl: null, distance: 0.5 } })] },
    ];
    const one = { ...resultOf(rows, []), positions: [0] };
    expect(both(one)).toEqual(rows.map((r) => r.cells));
  });
});
