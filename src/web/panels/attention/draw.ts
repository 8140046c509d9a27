import { clearedContext } from '../../look/canvas.js';
import { colorAt, type Palette } from '../../look/color.js';
import { shortened } from '../../look/token-text.js';
import type { Matrix } from './data.js';

/** A matrix as an image, a pixel a number; 0 to 1 on the sequential scale. Columns to hide stay empty. */
export const imageOf = (matrix: Matrix, palette: Palette, hidden = 0): ImageData => {
  const { rows, columns, data } = matrix;
  const image = new ImageData(Math.max(1, columns), Math.max(1, rows));
  for (let i = 0; i < data.length; i++) {
    if (i % columns < hidden) continue;
    const [r, g, b] = colorAt(palette.sequential, data[i] ?? 0);
    image.data.set([r, g, b, 255], 4 * i);
  }
  return image;
};

/** Draws an image into a rectangle without blurring; where it must shrink, each pixel shows the greatest under it. */
export const paint = (
  c: CanvasRenderingContext2D,
  image: ImageData,
  rect: readonly [number, number, number, number],
): void => {
  const small = new OffscreenCanvas(image.width, image.height);
  small.getContext('2d')?.putImageData(image, 0, 0);
  c.imageSmoothingEnabled = false;
  c.drawImage(small, ...rect);
};

/** The greatest of blocks of numbers, so that at most `most` pixels are left along a side. */
export const shrunk = (matrix: Matrix, most: number): Matrix => {
  const each = Math.ceil(Math.max(matrix.rows, matrix.columns) / most);
  if (each <= 1) return matrix;
  const [rows, columns] = [Math.ceil(matrix.rows / each), Math.ceil(matrix.columns / each)];
  const data = new Float32Array(rows * columns).fill(-Infinity);
  for (let q = 0; q < matrix.rows; q++)
    for (let k = 0; k < matrix.columns; k++) {
      const at = Math.floor(q / each) * columns + Math.floor(k / each);
      data[at] = Math.max(data[at] ?? 0, matrix.data[q * matrix.columns + k] ?? 0);
    }
  return { rows, columns, data };
};

/** One head large: where its cells are. */
export interface MapLayout {
  readonly left: number;
  readonly top: number;
  /** Size of a cell of the whole matrix, in CSS pixels. */
  readonly cellWidth: number;
  readonly cellHeight: number;
  readonly queries: number;
  readonly keys: number;
}

const label = 58;

export const mapLayout = (
  { width, height }: { readonly width: number; readonly height: number },
  { queries, keys }: { readonly queries: number; readonly keys: number },
): MapLayout => {
  const side = Math.min((width - label) / keys, Math.max(40, height - label) / queries, 34);
  return { left: label, top: label, cellWidth: side, cellHeight: side, queries, keys };
};

export const mapCell = (at: MapLayout, x: number, y: number): { query: number; key: number } | undefined => {
  const [key, query] = [Math.floor((x - at.left) / at.cellWidth), Math.floor((y - at.top) / at.cellHeight)];
  return key >= 0 && key < at.keys && query >= 0 && query < at.queries ? { query, key } : undefined;
};

export interface HeadScene {
  readonly size: { readonly width: number; readonly height: number };
  readonly layout: MapLayout;
  readonly matrix: Matrix;
  readonly hidden: number;
  readonly palette: Palette;
  readonly queries: readonly string[];
  readonly keys: readonly string[];
  readonly focus: number | undefined;
  readonly pointed: { readonly query: number; readonly key: number } | undefined;
  readonly ink: { readonly text: string; readonly soft: string; readonly accent: string };
  readonly fonts: { readonly mono: string };
}

const drawLabels = (c: CanvasRenderingContext2D, s: HeadScene): void => {
  const { layout: at } = s;
  c.font = `10.5px ${s.fonts.mono}`;
  c.textBaseline = 'middle';
  const every = Math.max(1, Math.ceil(11 / at.cellHeight));
  c.textAlign = 'right';
  s.queries.forEach((text, q) => {
    const isChosen = q === (s.pointed?.query ?? s.focus);
    if (q % every !== 0 && !isChosen) return;
    c.fillStyle = isChosen ? s.ink.accent : s.ink.text;
    c.fillText(shortened(text, 8), at.left - 5, at.top + (q + 0.5) * at.cellHeight);
  });
  c.textAlign = 'left';
  s.keys.forEach((text, k) => {
    const isChosen = k === s.pointed?.key;
    if (k % every !== 0 && !isChosen) return;
    c.save();
    c.translate(at.left + (k + 0.5) * at.cellWidth, at.top - 5);
    c.rotate(-Math.PI / 3);
    c.fillStyle = isChosen ? s.ink.accent : s.ink.text;
    c.fillText(shortened(text, 8), 0, 0);
    c.restore();
  });
};

/** One head as a heatmap, with its tokens along both sides. */
export const drawMap = (canvas: HTMLCanvasElement, s: HeadScene): void => {
  const c = clearedContext(canvas, s.size);
  if (!c) return;
  const { layout: at } = s;
  const [width, height] = [at.keys * at.cellWidth, at.queries * at.cellHeight];
  paint(c, imageOf(shrunk(s.matrix, Math.ceil(Math.max(width, height) * devicePixelRatio)), s.palette, s.hidden), [
    ...[at.left, at.top, width, height],
  ] as unknown as readonly [number, number, number, number]);
  c.strokeStyle = s.ink.accent;
  c.lineWidth = 1.5;
  const row = s.pointed?.query ?? s.focus;
  if (row !== undefined && row < at.queries)
    c.strokeRect(at.left, at.top + row * at.cellHeight, width, Math.max(2, at.cellHeight));
  if (s.pointed) c.strokeRect(at.left + s.pointed.key * at.cellWidth, at.top, Math.max(2, at.cellWidth), height);
  drawLabels(c, s);
};

/** Weaker lines than this are not drawn. */
const faintest = 0.02;

/** One head as lines from the tokens that look, right, to those looked at, left; those of the query in focus stand out. */
export const drawLines = (canvas: HTMLCanvasElement, s: HeadScene): void => {
  const c = clearedContext(canvas, s.size);
  if (!c) return;
  const { width, height } = s.size;
  const count = Math.max(s.layout.keys, s.layout.queries);
  const step = Math.min(20, (height - 8) / count);
  const [from, to] = [Math.min(width - 80, 300), 76];
  const y = (i: number): number => 6 + (i + 0.5) * step;
  const chosen = s.pointed?.query ?? s.focus;
  for (let q = 0; q < s.matrix.rows; q++)
    for (let k = s.hidden; k < s.matrix.columns; k++) {
      const weight = s.matrix.data[q * s.matrix.columns + k] ?? 0;
      if (weight < faintest) continue;
      c.globalAlpha = Math.min(1, weight) * (chosen === undefined || chosen === q ? 1 : 0.18);
      c.strokeStyle = chosen === q ? s.ink.accent : s.ink.soft;
      c.lineWidth = 0.5 + 3.5 * weight;
      c.beginPath();
      c.moveTo(from, y(q));
      c.bezierCurveTo((from + to) / 2, y(q), (from + to) / 2, y(k), to, y(k));
      c.stroke();
    }
  c.globalAlpha = 1;
  c.font = `11px ${s.fonts.mono}`;
  c.textBaseline = 'middle';
  const every = Math.max(1, Math.ceil(11 / step));
  const write = (texts: readonly string[], x: number, align: CanvasTextAlign): void => {
    c.textAlign = align;
    texts.forEach((text, i) => {
      c.fillStyle = align === 'left' && i === chosen ? s.ink.accent : s.ink.text;
      if (i % every === 0 || i === chosen) c.fillText(shortened(text, 9), x, y(i));
    });
  };
  write(s.keys, to - 6, 'right');
  write(s.queries, from + 6, 'left');
};
