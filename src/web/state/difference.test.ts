import { expect, it } from 'vitest';
import type { LensCell } from '../../protocol/index.js';
import { differenceOf, endsOf } from '../panels/board/measures.js';
import type { Board } from './board.js';
import { pairBoards } from './difference.js';

const cell = (norm: number): LensCell => ({ top: [], words: [], entropy: null, norm, change: null, broken: 0 });
const board = (tokens: string, rows: Readonly<Record<string, readonly (number | undefined)[]>>): Board => ({
  request: {} as Board['request'],
  rows: Object.keys(rows),
  tokens: tokens.split('').map((text, id) => ({ id, text })),
  cells: Object.values(rows).map((row) => row.map((x) => (x === undefined ? undefined : cell(x)))),
  ...{ word: undefined, vocab: 100 },
});

it('a difference is of cells that stand for each other, by token and by layer; the others have none', () => {
  const a = board('abc', { embed: [1, 2, 3], 'blocks.0': [1, 1, 1], 'blocks.1': [5, 5, 5] });
  const b = board('abxc', { embed: [2, 2, 9, 1], 'blocks.0': [4, undefined, 4, 4] });
  const paired = pairBoards(a, b);
  const measure = differenceOf('norm');
  const numbers = paired.cells.map((row) => row.map((one) => one && measure.of(one)));
  expect(numbers).toEqual([
    [1, 0, -2],
    [3, undefined, 3],
    [undefined, undefined, undefined],
  ]);
  expect(endsOf(paired, measure)).toEqual([-3, 3]);
});
