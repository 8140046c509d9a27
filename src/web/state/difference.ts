import type { LensCell } from '../../protocol/index.js';
import { align, type Alignment } from './align.js';
import type { Board } from './board.js';

/** A cell of A, with the one of B that stands for it. */
export type PairedCell = LensCell & { readonly other?: LensCell | undefined };

/** Layers of two models of one kind are the same by name, those of two stacks are not. */
const rowOf = (board: Board, after: string): readonly (LensCell | undefined)[] | undefined =>
  board.cells[board.rows.indexOf(after)];

/** Which position of B's board stands for each of A's. */
export const alignBoards = (a: Board, b: Board): Alignment =>
  align(
    a.tokens.map((t) => t.text),
    b.tokens.map((t) => t.text),
  );

/** A's board, each cell with B's; without it where B has no such token or layer, or it is not there yet. */
export const pairBoards = (a: Board, b: Board): Board => {
  const places = alignBoards(a, b);
  const cells = a.cells.map((row, r) => {
    const theirs = rowOf(b, a.rows[r] ?? '');
    return row.map((cell, i): PairedCell | undefined => cell && { ...cell, other: theirs?.[places[i] ?? -1] });
  });
  return { ...a, cells };
};
