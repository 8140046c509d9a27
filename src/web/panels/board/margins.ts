import type { SessionPoint } from '../../../protocol/index.js';
import { layerOf } from '../../look/names.js';
import { xOf, yOf, type Layout, type Place } from './layout.js';

/** The name of a layer, or of a token, that is under a point; undefined elsewhere. */
export const marginAt = (layout: Layout, x: number, y: number): Partial<Place> | undefined => {
  const { left, cellWidth, cellHeight, rows, columns, scroll } = layout;
  const row = rows - 1 - Math.floor(y / cellHeight);
  const position = Math.floor((x - left + scroll) / cellWidth);
  if (x < left) return row >= 0 && row < rows ? { row } : undefined;
  return y >= rows * cellHeight && position >= 0 && position < columns ? { position } : undefined;
};

/** The number of a row's layer; undefined of the embedding. */
export const layerNumber = (row: string | undefined): number | undefined => {
  const layer = layerOf(row ?? '')
    ?.split('.')
    .at(-1);
  return layer === undefined ? undefined : Number(layer);
};

/** Where a breakpoint's mark stands, in pixels from the canvas's corner. */
export interface Mark {
  readonly x: number;
  readonly y: number;
  readonly point: SessionPoint;
}

/** How far from a cell's corner its mark stands. */
const corner = 6;

/** Marks of breakpoints on layers, tokens and cells; what is scrolled out of sight has none. */
export const marksOf = (points: readonly SessionPoint[], layout: Layout, rows: readonly string[]): readonly Mark[] =>
  points.flatMap((point): readonly Mark[] => {
    const { layer, token, line, sites, watch } = point;
    if (line !== undefined || sites !== undefined || watch !== undefined) return [];
    const on = rows.flatMap((name, row) => (layer !== undefined && layerNumber(name) === layer ? [row] : []));
    const x = token === undefined ? layout.left - 3 : xOf(layout, token) + layout.cellWidth / 2;
    const isSeen = token === undefined || (x >= layout.left && x <= layout.width && token < layout.columns);
    if (!isSeen) return [];
    if (layer === undefined) return [{ x, y: layout.rows * layout.cellHeight, point }];
    if (token === undefined) return on.map((row) => ({ x, y: yOf(layout, row) + layout.cellHeight / 2, point }));
    // In the corner of a cell, whose word is in its middle.
    const right = xOf(layout, token + 1) - corner;
    return on.map((row) => ({ x: right, y: yOf(layout, row) + corner, point }));
  });

/** What the run is about to compute, in pixels: cells of a row, or, behind the last layer, a line. */
export interface Playhead {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Where execution stands on the board. Step 0 runs all of the prompt at once, later ones a token each; undefined where
 * the board has no row of it.
 */
export const playheadOf = (
  {
    place,
    step,
    promptLength,
  }: { readonly place: string | undefined; readonly step: number; readonly promptLength: number },
  layout: Layout,
  rows: readonly string[],
): Playhead | undefined => {
  const found = rows.indexOf(place ?? '');
  const isBehind = place === undefined || place === 'head';
  if (found < 0 && !isBehind) return undefined;
  const y = yOf(layout, isBehind ? rows.length - 1 : found);
  const height = isBehind ? 0 : layout.cellHeight;
  const right = Math.min(layout.width, xOf(layout, layout.columns));
  const position = promptLength + step - 1;
  if (step === 0 || position >= layout.columns) {
    const x = step === 0 ? layout.left : right - 3;
    return { x, y, width: right - x, height };
  }
  const x = Math.max(layout.left, xOf(layout, position));
  return { x, y, width: Math.max(0, Math.min(right, xOf(layout, position + 1)) - x), height };
};
