import { createEffect, createSignal, on, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { clearedContext, inks } from '../../look/canvas.js';
import type { Matrix } from '../../look/matrix.js';
import { masked, type Ends } from '../../look/matrix-image.js';
import type { FetchTile } from '../../look/tiles.js';
import { shortened } from '../../look/token-text.js';
import { usePicture, type Size } from '../../look/use-picture.js';

interface Props {
  readonly name: string;
  readonly label: string;
  readonly fetch: FetchTile;
  readonly ends: Ends;
  readonly queries: readonly string[];
  readonly keys: readonly string[];
  readonly focus: number | undefined;
}

/** Texts longer than this are no picture of lines. */
export const mostLines = 128;

/** Weaker lines than this share of the greatest are not drawn. */
const faintest = 0.02;

interface Scene {
  readonly size: Size;
  readonly matrix: Matrix;
  readonly given: Props;
  readonly look: ReturnType<typeof inks>;
}

const draw = (canvas: HTMLCanvasElement, { size, matrix, given, look }: Scene): void => {
  const c = clearedContext(canvas, size);
  if (!c) return;
  const count = Math.max(given.keys.length, given.queries.length);
  const step = Math.min(20, (size.height - 8) / count);
  const [from, to] = [Math.min(size.width - 80, 300), 76];
  const y = (i: number): number => 6 + (i + 0.5) * step;
  for (let i = 0; i < matrix.data.length; i++) {
    const [q, k, x] = [Math.floor(i / matrix.columns), i % matrix.columns, matrix.data[i] ?? 0];
    const weight = x < masked ? 0 : (x - given.ends.from) / (given.ends.to - given.ends.from || 1);
    if (weight < faintest) continue;
    const isChosen = given.focus === q;
    c.globalAlpha = Math.min(1, weight) * (given.focus === undefined || isChosen ? 1 : 0.18);
    c.strokeStyle = isChosen ? look.ink.accent : look.ink.soft;
    c.lineWidth = 0.5 + 3.5 * weight;
    c.beginPath();
    c.moveTo(from, y(q));
    c.bezierCurveTo((from + to) / 2, y(q), (from + to) / 2, y(k), to, y(k));
    c.stroke();
  }
  c.globalAlpha = 1;
  c.font = `11px ${look.fonts.mono}`;
  c.textBaseline = 'middle';
  const every = Math.max(1, Math.ceil(11 / step));
  const write = (texts: readonly string[], x: number, align: CanvasTextAlign): void => {
    c.textAlign = align;
    texts.forEach((text, i) => {
      c.fillStyle = align === 'left' && i === given.focus ? look.ink.accent : look.ink.text;
      if (i % every === 0 || i === given.focus) c.fillText(shortened(text, 9), x, y(i));
    });
  };
  write(given.keys, to - 6, 'right');
  write(given.queries, from + 6, 'left');
};

/** A head as lines from the tokens that look, right, to those looked at, left; those of the token in focus stand out. */
export const Lines = (props: Props): JSX.Element => {
  const app = useApp();
  const [matrix, setMatrix] = createSignal<Matrix>();
  createEffect(
    on(
      () => props.name,
      () => {
        props.fetch({ level: 0, row: 0, column: 0 }, new AbortController().signal).then(setMatrix, () => undefined);
      },
    ),
  );
  const picture = usePicture<Scene>({
    scene: (size) => {
      const found = matrix();
      app.palette(); // inks change with the theme
      return found && { size, matrix: found, given: { ...props }, look: inks() };
    },
    draw,
  });
  return <canvas ref={picture.ref} id="head-lines" role="img" aria-label={props.label} />;
};
