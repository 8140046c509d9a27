import type { LensCell, PatchGrid, PatchResult } from '../../../protocol/index.js';
import type { Board } from '../../state/board.js';
import { boardPositions, endsOf, offeredName } from './data.js';

/** Effects of patching on the cells of a board, and the ends of their scale. */
export interface BoardEffects {
  readonly of: (cell: LensCell) => number | null | undefined;
  readonly ends: readonly [number, number];
}

/** The stream first: that is what a cell of the board is. */
const liked = ['resid_post', 'resid_mid', 'resid_pre'];

/** The grid of a result that the board can show: a decoder's, by position alone, of the prompt that is looked at. */
export const boardGrid = ({ grids, pairs }: Pick<PatchResult, 'grids' | 'pairs'>): PatchGrid | undefined => {
  if (pairs > 1) return undefined;
  const fit = grids.filter(({ by, ofSource }) => by.join() === 'position' && ofSource !== true);
  const stream = liked.map((name) => fit.find(({ site }) => offeredName(site) === name)).find((grid) => grid);
  return stream ?? fit[0];
};

/** What a layer begins with stands in the row below it: that is where it comes from. */
const rowOf = (rows: readonly string[], { site }: PatchGrid, layer: string): number =>
  rows.indexOf(layer) - (offeredName(site) === 'resid_pre' ? 1 : 0);

/** A result on the board's cells; undefined where it has no grid that fits. */
export const effectsOn = (board: Pick<Board, 'rows' | 'cells'>, result: PatchResult): BoardEffects | undefined => {
  const grid = boardGrid(result);
  if (!grid) return undefined;
  const places = boardPositions(result);
  const effects = new Map<LensCell, number | null>();
  for (const [l, layer] of grid.layers.entries())
    for (const [c, { position = 0 }] of grid.columns.entries()) {
      const at = places ? places[position] : position;
      const cell = board.cells[rowOf(board.rows, grid, layer)]?.[at ?? -1];
      if (cell) effects.set(cell, grid.effect[l]?.[c] ?? null);
    }
  const { from, to } = endsOf({ ...result, grids: [grid] });
  return { of: (cell) => effects.get(cell), ends: [from, to] };
};
