import type { LensCell, TokenView } from '../../../protocol/index.js';
import { colorAt, css, inkOn, type Palette } from '../../look/color.js';
import { clearedContext } from '../../look/canvas.js';
import { percent } from '../../look/numbers.js';
import { shortened } from '../../look/token-text.js';
import { drawInside, insideFrom, insideKey, largeCells, type Inside } from './inside.js';
import { cellsEnd, visibleColumns, xOf, yOf, type Layout, type Place } from './layout.js';
import { onScale, type Measure } from './measures.js';

/** What stands on a cell, or, without a position, on the whole layer. */
export interface Pin {
  readonly row: number;
  readonly position?: number | undefined;
}

/** All that a picture of the board is made of. */
export interface Scene {
  readonly layout: Layout;
  readonly names: readonly string[];
  readonly tokens: readonly TokenView[];
  readonly cells: readonly (readonly (LensCell | undefined)[])[];
  readonly measure: Measure;
  /** The middle of the scale is nothing: of several numbers the one farthest from it is shown. */
  readonly isDiverging: boolean;
  readonly ends: readonly [number, number];
  readonly palette: Palette;
  readonly focus: Place | undefined;
  readonly pointed: Place | undefined;
  /** The cell that the reader is invited to click. */
  readonly mark: Place | undefined;
  readonly pins: readonly Pin[];
  /** Positions of masks, of a model that fills them. */
  readonly masks?: readonly number[];
  /** What is in cells that are large enough to show it, by `insideKey`; and the rows' names in the model. */
  readonly inside?: ReadonlyMap<string, Inside>;
  readonly afters?: readonly string[];
  readonly ink: { readonly text: string; readonly soft: string; readonly accent: string; readonly empty: string };
  readonly fonts: { readonly mono: string; readonly text: string };
}

/** From this width on a cell has its word, from this size on its three likeliest. */
const wordFrom = 26;
const lineHeight = 14;
const topFrom = { width: 96, height: 46 };

/** The number that a pixel column stands for: of several cells the greatest on the scale, so that none is lost. */
const shareOf = (
  { cells, measure, ends, isDiverging }: Scene,
  row: number,
  [from, to]: readonly [number, number],
): number | undefined => {
  let most: number | undefined;
  for (let p = from; p < to; p++) {
    const cell = cells[row]?.[p];
    const value = cell && measure.of(cell);
    if (value === null || value === undefined) continue;
    const share = onScale(value, ends, measure.isLog);
    const isFarther = isDiverging ? Math.abs(share - 0.5) > Math.abs((most ?? 0.5) - 0.5) : share > (most ?? 0);
    most = isFarther ? share : (most ?? share);
  }
  return most;
};

/** The likeliest words of a cell, as many as there is room for. */
const drawWords = (
  c: CanvasRenderingContext2D,
  { layout, fonts }: Scene,
  at: Place & { readonly cell: LensCell },
): void => {
  const { cellWidth, cellHeight } = layout;
  const [x, y] = [xOf(layout, at.position), yOf(layout, at.row)];
  const isLarge = cellWidth >= topFrom.width && cellHeight >= topFrom.height;
  const top = at.cell.top.slice(0, isLarge ? 3 : 1);
  top.forEach((token, i) => {
    c.font = `${cellWidth < 48 ? 9.5 : i === 0 ? 11.5 : 10.5}px ${fonts.mono}`;
    const width = c.measureText('m').width;
    const tail = isLarge ? ` ${percent(token.probability)}` : '';
    const text = `${shortened(token.text, Math.floor((cellWidth - 3) / width) - tail.length)}${tail}`;
    // Where a cell shows what is in it, its words stand at the top.
    const middle = cellHeight >= insideFrom.height ? 12 : cellHeight / 2;
    if (middle === 12 && i > 0) return;
    c.fillText(text, x + cellWidth / 2, y + middle + (middle === 12 ? 0 : (i - (top.length - 1) / 2) * lineHeight));
  });
};

const drawCells = (c: CanvasRenderingContext2D, scene: Scene): void => {
  const { layout, cells, palette, ink } = scene;
  const { cellWidth, cellHeight } = layout;
  const [first, last] = visibleColumns(layout);
  const each = Math.max(1, Math.ceil(1 / cellWidth)); // columns narrower than a pixel are drawn together
  const gap = cellWidth > 12 ? 1 : 0;
  c.textAlign = 'center';
  c.textBaseline = 'middle';
  for (let row = 0; row < layout.rows; row++) {
    if (yOf(layout, row) + cellHeight < 0 || yOf(layout, row) > cellsEnd(layout)) continue;
    for (let p = first; p < last; p += each) {
      const share = shareOf(scene, row, [p, Math.min(last, p + each)]);
      const color = share === undefined ? undefined : colorAt(palette.sequential, share);
      c.fillStyle = color ? css(color) : ink.empty;
      c.fillRect(xOf(layout, p), yOf(layout, row), each * cellWidth - gap, cellHeight - gap);
      const cell = cells[row]?.[p];
      if (!cell || !color || cellWidth < wordFrom || cellHeight < lineHeight - 1) continue;
      c.fillStyle = inkOn(color);
      drawWords(c, scene, { row, position: p, cell });
    }
  }
};

/** What is in the cells that are large. */
const drawInsides = (c: CanvasRenderingContext2D, scene: Scene): void => {
  const { layout, inside, afters, cells, measure, ends, palette, fonts } = scene;
  for (const place of largeCells(layout, visibleColumns(layout))) {
    const found = inside?.get(insideKey(afters?.[place.row] ?? '', place.position));
    const cell = cells[place.row]?.[place.position];
    const value = cell && measure.of(cell);
    if (!found) continue;
    const share = value === null || value === undefined ? 0 : onScale(value, ends, measure.isLog);
    c.fillStyle = inkOn(colorAt(palette.sequential, share));
    c.textBaseline = 'middle';
    drawInside(c, { layout, place, inside: found, fonts });
  }
};

const drawNames = (c: CanvasRenderingContext2D, { layout, names, ink, fonts, focus }: Scene): void => {
  c.textAlign = 'right';
  c.textBaseline = 'middle';
  const every = Math.max(1, Math.ceil(12 / layout.cellHeight));
  names.forEach((name, row) => {
    if (row % every !== 0 && row !== focus?.row) return;
    c.fillStyle = row === focus?.row ? ink.accent : ink.soft;
    c.font = `${row === focus?.row ? '600 ' : ''}11px ${fonts.text}`;
    const y = yOf(layout, row) + layout.cellHeight / 2;
    if (y > 0 && y < cellsEnd(layout)) c.fillText(name, layout.left - 8, y);
  });
};

const drawTokens = (c: CanvasRenderingContext2D, { layout, tokens, ink, fonts, focus }: Scene): void => {
  const { cellWidth } = layout;
  const [first, last] = visibleColumns(layout);
  const isLevel = cellWidth >= 34;
  const every = Math.max(1, Math.ceil(13 / cellWidth));
  c.font = `11px ${fonts.mono}`;
  const letter = c.measureText('m').width;
  const top = cellsEnd(layout) + 4;
  for (let p = first; p < last; p++) {
    if (p % every !== 0 && p !== focus?.position) continue;
    c.fillStyle = p === focus?.position ? ink.accent : ink.text;
    const x = xOf(layout, p) + cellWidth / 2;
    const text = shortened(tokens[p]?.text ?? '', isLevel ? Math.floor(cellWidth / letter) : 7);
    c.save();
    c.translate(x, top);
    if (isLevel) {
      c.textAlign = 'center';
      c.textBaseline = 'top';
    } else {
      c.rotate(-Math.PI / 3);
      c.textAlign = 'right';
      c.textBaseline = 'middle';
    }
    c.fillText(text, 0, isLevel ? 2 : 4);
    c.restore();
  }
};

interface Outline {
  readonly color: string;
  readonly width: number;
  readonly inset: number;
}

const outline = (c: CanvasRenderingContext2D, { layout }: Scene, at: Place & Outline): void => {
  c.strokeStyle = at.color;
  c.lineWidth = at.width;
  const [w, h] = [Math.max(3, layout.cellWidth - 1), layout.cellHeight - 1];
  const [x, y] = [xOf(layout, at.position) + at.inset, yOf(layout, at.row) + at.inset];
  c.strokeRect(x, y, w - 2 * at.inset, h - 2 * at.inset);
};

/** Masks as columns between dashed lines: theirs are the words that such a model says. */
const drawMasks = (c: CanvasRenderingContext2D, { layout, masks = [], ink }: Scene): void => {
  c.save();
  c.lineWidth = 1.5;
  const width = Math.max(2, layout.cellWidth - 1);
  // Light below dark, so that it is seen on any cell.
  for (const [color, dash] of [
    [ink.empty, []],
    [ink.text, [4, 3]],
  ] as const) {
    c.strokeStyle = color;
    c.setLineDash([...dash]);
    for (const position of masks) c.strokeRect(xOf(layout, position), 0.5, width, cellsEnd(layout) - 1);
  }
  c.restore();
};

/** The place of focus, the one under the pointer, and the one to click: a frame in two colours, seen on any cell. */
const drawPlaces = (c: CanvasRenderingContext2D, scene: Scene): void => {
  const { ink, focus, pointed, mark } = scene;
  if (pointed) outline(c, scene, { ...pointed, color: ink.soft, width: 1.5, inset: 0 });
  if (focus) outline(c, scene, { ...focus, color: ink.accent, width: 2.5, inset: 0 });
  if (mark) {
    outline(c, scene, { ...mark, color: '#ffffff', width: 5, inset: 2 });
    outline(c, scene, { ...mark, color: '#d55e00', width: 3, inset: 2 });
  }
};

const drawPins = (c: CanvasRenderingContext2D, { layout, pins, ink }: Scene): void => {
  for (const { row, position } of pins) {
    const x = position === undefined ? 7 : xOf(layout, position) + 6;
    if (position !== undefined && x < layout.left) continue;
    c.beginPath();
    c.arc(x, yOf(layout, row) + (position === undefined ? layout.cellHeight / 2 : 6), 3.5, 0, 2 * Math.PI);
    c.fillStyle = ink.accent;
    c.fill();
    c.lineWidth = 1;
    c.strokeStyle = ink.empty;
    c.stroke();
  }
};

/** Draws the board. Only what can be seen is drawn. */
export const drawBoard = (canvas: HTMLCanvasElement, scene: Scene): void => {
  const c = clearedContext(canvas, scene.layout);
  if (c) drawBoardOn(c, scene);
};

/** The same, on a canvas that has other things too. */
export const drawBoardOn = (c: CanvasRenderingContext2D, scene: Scene): void => {
  const { width, height, left } = scene.layout;
  c.save();
  c.beginPath();
  c.rect(left, 0, width - left, height);
  c.clip();
  drawTokens(c, scene);
  c.beginPath();
  c.rect(left, 0, width - left, cellsEnd(scene.layout));
  c.clip();
  drawCells(c, scene);
  drawInsides(c, scene);
  drawMasks(c, scene);
  drawPlaces(c, scene);
  c.restore();
  drawNames(c, scene);
  drawPins(c, scene);
};
