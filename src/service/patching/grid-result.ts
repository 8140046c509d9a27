import { bootstrap, layerName, mean, rowsOf, type Cell, type Grid } from '../../analyses/sweep/index.js';
import type { PatchGrid } from '../../protocol/index.js';
import { finite } from '../finite.js';

/** What one pair gave: the metric with each cell of all grids changed, and of both runs. */
export interface PairValues {
  readonly clean: number;
  /** NaN where there is no corrupted run. */
  readonly corrupted: number;
  /** By the key of each cell. */
  readonly values: ReadonlyMap<string, number>;
}

/** How raw numbers become effects. */
export type Effect = (raw: number, ends: { readonly clean: number; readonly corrupted: number }) => number;

/** 0 is the corrupted run, 1 the clean one. */
export const share: Effect = (raw, { clean, corrupted }) => (raw - corrupted) / (clean - corrupted);
/** What a change alone does to the clean run. */
export const change: Effect = (raw, { clean }) => raw - clean;

/** Cells of several pairs are the same where layer and column are; positions of texts of other lengths count from the end. */
export const cellKey = (kind: string, cell: Cell, length: number | undefined): string => {
  const position = cell.position === undefined || length === undefined ? cell.position : cell.position - length;
  return [kind, layerName(cell.place), position ?? '', cell.head ?? '', cell.neuron ?? ''].join('|');
};

type Column = PatchGrid['columns'][number];

const labelOf = (cell: Cell, tokens: readonly { readonly text: string }[]): string =>
  [
    ...(cell.head === undefined ? [] : [`head ${cell.head}`]),
    ...(cell.neuron === undefined ? [] : [`neuron ${cell.neuron}`]),
    ...(cell.position === undefined ? [] : [`${cell.position} ${tokens[cell.position]?.text ?? ''}`]),
  ].join(' · ') || 'all';

const columnKey = (cell: Cell): string => [cell.position ?? '', cell.head ?? '', cell.neuron ?? ''].join('|');

const columnOf = (cell: Cell, tokens: readonly { readonly text: string }[]): Column => ({
  label: labelOf(cell, tokens),
  ...(cell.position === undefined ? {} : { position: cell.position }),
  ...(cell.head === undefined ? {} : { head: cell.head }),
  ...(cell.neuron === undefined ? {} : { neuron: cell.neuron }),
});

export interface GridTold {
  readonly pairs: readonly PairValues[];
  readonly tokensOf: (cell: Cell) => readonly { readonly text: string }[];
  /** Of each cell: its key in the pairs' values. */
  readonly keyOf: (kind: string, cell: Cell) => string;
  readonly effect: Effect;
  readonly seed: number;
}

type Fold = (numbers: readonly number[], ends: readonly PairValues[]) => number;

/** What becomes of each cell's numbers over the pairs that have it: a row a layer. */
const foldedOver = (
  { kind, cells }: Grid,
  { pairs, keyOf }: Pick<GridTold, 'pairs' | 'keyOf'>,
  { layers, columns }: { readonly layers: readonly string[]; readonly columns: readonly string[] },
): ((fold: Fold) => (number | null)[][]) => {
  const byPlace = new Map(cells.map((c) => [`${layerName(c.place)} ${columnKey(c)}`, c]));
  const cell = (layer: string, column: string, fold: Fold): number | null => {
    const own = byPlace.get(`${layer} ${column}`);
    if (!own) return null;
    const key = keyOf(kind, own);
    const known = pairs.filter((p) => p.values.has(key));
    if (known.length === 0) return null;
    const numbers = known.map((p) => p.values.get(key) ?? NaN);
    return finite(fold(numbers, known));
  };
  return (fold) => layers.map((layer) => columns.map((column) => cell(layer, column, fold)));
};

/** A grid as it is told: means over pairs, with the bootstrap's bounds where there are several. */
export const tellGrid = (grid: Grid, told: GridTold): PatchGrid => {
  const { kind, by, cells } = grid;
  const { pairs, tokensOf, effect, seed } = told;
  const layers = [...new Set(cells.map((c) => layerName(c.place)))];
  const columns = new Map(cells.map((c) => [columnKey(c), columnOf(c, tokensOf(c))]));
  const all = foldedOver(grid, told, { layers, columns: [...columns.keys()] });
  const effectOf: Fold = (numbers, ends) =>
    effect(mean(numbers), { clean: mean(ends.map((e) => e.clean)), corrupted: mean(ends.map((e) => e.corrupted)) });
  const bound = (which: 0 | 1) =>
    all(
      (numbers, ends) =>
        bootstrap(numbers.length, seed, (sample) =>
          effectOf(
            sample.map((i) => numbers[i] ?? NaN),
            sample.map((i) => ends[i] as PairValues),
          ),
        )[which],
    );
  return {
    ...{ site: kind, by: by.length === 0 ? ['none'] : [...by] },
    ...(cells.some((c) => rowsOf(c.place).isSource) ? { ofSource: true as const } : {}),
    ...{ layers, columns: [...columns.values()] },
    raw: all((numbers) => mean(numbers)),
    effect: all(effectOf),
    ...(pairs.length > 1 ? { low: bound(0), high: bound(1) } : {}),
  };
};
