import type { AttentionLayer } from '../../../protocol/index.js';
import type { Matrix } from '../../look/matrix.js';
import { kindShare, type HeadKind } from './kinds.js';

/** A head at its place in the grid. */
export interface GridHead {
  readonly layer: AttentionLayer;
  readonly head: number;
  /** `3.2` */
  readonly name: string;
  readonly column: number;
  readonly row: number;
  /** Its share of the kind that the grid is ordered by. */
  readonly share?: number;
}

export interface Grid {
  readonly heads: readonly GridHead[];
  readonly columns: number;
  readonly rows: number;
  /** Names of the rows, where a row is a layer. */
  readonly names: readonly string[];
}

const numberOf = (block: string): string => /blocks\.(.*)$/.exec(block)?.[1] ?? block;
const byPlace = (layers: readonly AttentionLayer[]): Grid => {
  const columns = Math.max(1, ...layers.map((l) => l.heads));
  // As on the board, the first layer is the lowest.
  const rows = layers.length;
  const heads = layers.flatMap((layer, i) =>
    Array.from({ length: layer.heads }, (_, head) => ({
      ...{ layer, head, name: `${numberOf(layer.block)}.${head}` },
      ...{ column: head, row: rows - 1 - i },
    })),
  );
  const names = [...layers].reverse().map((layer) => `L${numberOf(layer.block)}`);
  return { heads, columns, rows, names };
};

/** The exact pattern of a head, where it is here. */
export type PatternOf = (layer: AttentionLayer, head: number) => Matrix | undefined;

interface ByKind {
  readonly kind: HeadKind;
  readonly ids: readonly number[];
  readonly patternOf: PatternOf;
}

/** Heads in the order of a kind, those that are most of it first. Pictures that were shrunk have no kind. */
const byKind = (layers: readonly AttentionLayer[], { kind, ids, patternOf }: ByKind): Grid => {
  const { heads, columns } = byPlace(layers);
  const ranked = heads
    .flatMap((entry) => {
      const picture = entry.layer.keys === ids.length ? patternOf(entry.layer, entry.head) : undefined;
      return picture ? [{ ...entry, share: kindShare(picture, ids, kind) }] : [];
    })
    .sort((a, b) => b.share - a.share);
  const placed = ranked.map((entry, i) => ({ ...entry, column: i % columns, row: Math.floor(i / columns) }));
  return { heads: placed, columns, rows: Math.ceil(placed.length / columns), names: [] };
};

export type GridOrder = 'place' | HeadKind;

/** Where each head's picture stands. */
export const gridOf = (layers: readonly AttentionLayer[], order: GridOrder, given: Omit<ByKind, 'kind'>): Grid =>
  order === 'place' ? byPlace(layers) : byKind(layers, { ...given, kind: order });
