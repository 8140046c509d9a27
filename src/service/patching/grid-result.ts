import { bootstrap, mean, type Cell, type Grid } from '../../analyses/sweep/index.js';
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
  return [kind, cell.place.instance.name, position ?? '', cell.head ?? '', cell.neuron ?? ''].join('|');
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

/** A grid as it is told: means over pairs, with the bootstrap's bounds where there are several. */
export const tellGrid = ({ kind, by, cells }: Grid, { pairs, tokensOf, keyOf, effect, seed }: GridTold): PatchGrid => {
  const layers = [...new Set(cells.map((c) => c.place.instance.name))];
  const columns = new Map(cells.map((c) => [columnKey(c), columnOf(c, tokensOf(c))]));
  const byPlace = new Map(cells.map((c) => [`${c.place.instance.name} ${columnKey(c)}`, c]));
  const all = (work: (numbers: readonly number[], ends: readonly PairValues[]) => number): (number | null)[][] =>
    layers.map((layer) =>
      [...columns.keys()].map((column) => {
        const cell = byPlace.get(`${layer} ${column}`);
        if (!cell) return null;
        const key = keyOf(kind, cell);
        const known = pairs.filter((p) => p.values.has(key));
        return known.length === 0
          ? null
          : finite(
              work(
                known.map((p) => p.values.get(key) ?? NaN),
                known,
              ),
            );
      }),
    );
  const effectOf = (numbers: readonly number[], ends: readonly PairValues[]): number =>
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
    ...{ site: kind, by: by.length === 0 ? ['none'] : [...by], layers, columns: [...columns.values()] },
    raw: all((numbers) => mean(numbers)),
    effect: all(effectOf),
    ...(pairs.length > 1 ? { low: bound(0), high: bound(1) } : {}),
  };
};
