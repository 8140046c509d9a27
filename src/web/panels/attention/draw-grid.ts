import { clearedContext } from '../../look/canvas.js';
import type { Rgb } from '../../look/color.js';
import type { Matrix } from '../../look/matrix.js';
import { paint, type Ends, type makeImages } from '../../look/matrix-image.js';
import { percent } from '../../look/numbers.js';
import type { Grid, GridHead } from './grid-layout.js';

/** Room for the names of layers. */
const left = 34;
const gap = 3;
const widest = 66;
/** Rows are not made lower than this to be seen all at once: they scroll. */
const lowest = 26;
/** Room for a head's name below its picture, where rows are no layers. */
const caption = 13;
/** Room for the heads' numbers below all. */
const foot = 14;

export interface GridCell {
  readonly side: number;
  readonly stepX: number;
  readonly stepY: number;
}

/** How large a head's picture is, and how far it is to the next. */
export const cellOf = (
  grid: Grid,
  { width, height }: { readonly width: number; readonly height: number },
): GridCell => {
  const high = (height - foot) / Math.max(1, grid.rows) - gap;
  const side = Math.min(widest, (width - left) / grid.columns - gap, Math.max(lowest, high));
  return { side, stepX: side + gap, stepY: side + gap + (grid.names.length === 0 ? caption : 0) };
};

/** The head under a point. */
export const headAt = (
  grid: Grid,
  { stepX, stepY }: GridCell,
  [x, y]: readonly [number, number],
): GridHead | undefined => {
  const [column, row] = [Math.floor((x - left) / stepX), Math.floor(y / stepY)];
  return grid.heads.find((h) => h.column === column && h.row === row);
};

export interface GridScene {
  readonly grid: Grid;
  readonly cell: GridCell;
  readonly width: number;
  /** From where to where it is seen: only that is drawn. */
  readonly seen: readonly [number, number];
  readonly pictureOf: (entry: GridHead) => Matrix | undefined;
  readonly ends: Ends;
  readonly images: ReturnType<typeof makeImages>;
  readonly isChosen: (entry: GridHead) => boolean;
  readonly colors: readonly Rgb[];
  readonly focus: GridHead | undefined;
  readonly ink: { readonly soft: string; readonly accent: string; readonly empty: string };
  readonly fonts: { readonly text: string };
}

const drawHead = (c: CanvasRenderingContext2D, s: GridScene, entry: GridHead): void => {
  const { side, stepX, stepY } = s.cell;
  const [x, y] = [left + entry.column * stepX, entry.row * stepY];
  if (y + stepY < s.seen[0] || y > s.seen[1]) return;
  const picture = s.pictureOf(entry);
  c.fillStyle = s.ink.empty;
  c.fillRect(x, y, side, side);
  if (picture) {
    const most = Math.ceil(side * devicePixelRatio);
    paint(c, s.images(picture, { colors: s.colors, ends: s.ends, most }), [x, y, side, side]);
  }
  const isFocus = entry === s.focus;
  c.fillStyle = isFocus ? s.ink.accent : s.ink.soft;
  if (entry.share !== undefined) c.fillText(`${entry.name} ${percent(entry.share)}`, x + side / 2, y + side + 7);
  c.lineWidth = 2.5;
  c.strokeStyle = s.ink.accent;
  if (isFocus) c.strokeRect(x - 1, y - 1, side + 2, side + 2);
  if (s.isChosen(entry)) drawTick(c, s, [x, y]);
};

/** Marks a head that is chosen beside others: a corner with a tick, so that colour is not all that tells it. */
const drawTick = (c: CanvasRenderingContext2D, { cell, ink }: GridScene, [x, y]: readonly [number, number]): void => {
  const size = Math.min(14, cell.side * 0.6);
  c.strokeRect(x, y, cell.side, cell.side);
  c.fillStyle = ink.accent;
  c.fillRect(x, y, size, size);
  c.strokeStyle = ink.empty;
  c.lineWidth = Math.max(1, size / 7);
  c.beginPath();
  c.moveTo(x + size * 0.22, y + size * 0.52);
  c.lineTo(x + size * 0.42, y + size * 0.74);
  c.lineTo(x + size * 0.78, y + size * 0.28);
  c.stroke();
};

/** Draws all heads. The canvas gets the height that they need. */
export const drawGrid = (canvas: HTMLCanvasElement, s: GridScene): void => {
  const { grid, cell } = s;
  const height = Math.max(1, grid.rows * cell.stepY + foot);
  canvas.style.height = `${height}px`;
  const c = clearedContext(canvas, { width: s.width, height });
  if (!c) return;
  c.font = `10px ${s.fonts.text}`;
  c.textBaseline = 'middle';
  c.fillStyle = s.ink.soft;
  c.textAlign = 'right';
  grid.names.forEach((name, row) => c.fillText(name, left - 6, row * cell.stepY + cell.side / 2));
  c.textAlign = 'center';
  for (const entry of grid.heads) drawHead(c, s, entry);
  c.fillStyle = s.ink.soft;
  for (let head = 0; grid.names.length > 0 && head < grid.columns; head++)
    c.fillText(String(head), left + head * cell.stepX + cell.side / 2, grid.rows * cell.stepY + 6);
};
