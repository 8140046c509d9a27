import { createEffect, createSignal, For, onCleanup, onMount, Show, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { errorText } from '../../i18n/told.js';
import { clearedContext, watchSize } from '../../look/canvas.js';
import { colorAt, type Palette, type ScaleKind } from '../../look/color.js';
import { stepOf } from '../../look/keys.js';
import { compact } from '../../look/numbers.js';
import { ScaleStrip } from '../../shell/scale-strip.jsx';
import type { Picture, Three } from './data.js';

const greatestOf = (picture: Picture | undefined): number =>
  picture ? picture.data.reduce((most, x) => Math.max(most, Math.abs(x)), 0) : 0;

interface Scale {
  readonly kind: ScaleKind;
  /** The greatest number on it. */
  readonly most: number;
}

const imageOf = ({ rows, columns, data }: Picture, palette: Palette, { kind, most }: Scale): ImageData => {
  const image = new ImageData(columns, rows);
  data.forEach((x, i) => {
    const share = kind === 'diverging' ? 0.5 + x / most / 2 : x / most;
    image.data.set([...colorAt(palette[kind], share), 255], 4 * i);
  });
  return image;
};

interface OneProps {
  readonly picture: Picture;
  readonly label: string;
  readonly scale: Scale;
}

/** One picture, as large as its column; the number under the pointer is told. */
const One = (props: OneProps): JSX.Element => {
  const app = useApp();
  let canvas: HTMLCanvasElement | undefined;
  const [width, setWidth] = createSignal(0);
  onMount(() => canvas?.parentElement && onCleanup(watchSize(canvas.parentElement, (size) => setWidth(size.width))));
  const height = (): number => Math.min(width(), Math.max(12, (width() * props.picture.rows) / props.picture.columns));
  createEffect(() => {
    if (!canvas || width() === 0) return;
    canvas.style.height = `${height()}px`;
    const c = clearedContext(canvas, { width: width(), height: height() });
    if (!c) return;
    const small = new OffscreenCanvas(props.picture.columns, props.picture.rows);
    small.getContext('2d')?.putImageData(imageOf(props.picture, app.palette(), props.scale), 0, 0);
    c.imageSmoothingEnabled = false;
    c.drawImage(small, 0, 0, width(), height());
  });
  const at = { row: 0, column: 0 };
  const tell = (row: number, column: number): void => {
    const { rows, columns, data } = props.picture;
    at.row = Math.min(rows - 1, Math.max(0, row));
    at.column = Math.min(columns - 1, Math.max(0, column));
    const x = data[at.row * columns + at.column];
    app.point(`${props.label}  ·  ${at.row}, ${at.column}: ${compact(x)}`);
  };
  const point = (event: MouseEvent): void => {
    const { rows, columns } = props.picture;
    tell(Math.floor((event.offsetY / height()) * rows), Math.floor((event.offsetX / width()) * columns));
  };
  const move = (event: KeyboardEvent): void => {
    const step = stepOf(event.key);
    if (!step) return;
    event.preventDefault();
    tell(at.row + step[1], at.column + step[0]);
  };
  return (
    <figure>
      <figcaption class="small">{props.label}</figcaption>
      <div>
        <canvas
          ref={canvas}
          tabindex="0"
          role="application"
          aria-label={`${props.label}. ${app.t().beside.keys}`}
          onKeyDown={move}
          onBlur={() => app.point(undefined)}
          onPointerMove={point}
          onPointerLeave={() => app.point(undefined)}
        />
      </div>
    </figure>
  );
};

const Legend = (props: { readonly scale: Scale }): JSX.Element => (
  <div class="legend small">
    <span class="number">{props.scale.kind === 'diverging' ? `−${compact(props.scale.most)}` : '0'}</span>
    <ScaleStrip kind={props.scale.kind} />
    <span class="number">{compact(props.scale.most)}</span>
  </div>
);

interface Props {
  readonly of: Three;
  /** Numbers below 0 can occur. */
  readonly isSigned: boolean;
}

/** A, B and B − A beside each other, the first two on one scale unless that is switched off. */
export const ThreePictures = (props: Props): JSX.Element => {
  const app = useApp();
  const t = () => app.t().beside;
  const kind = (): ScaleKind => (props.isSigned ? 'diverging' : 'sequential');
  const scaleOf = (run: 'a' | 'b'): Scale => {
    const [a, b] = [greatestOf(props.of.a), greatestOf(props.of.b)];
    const most = app.view.oneScale ? Math.max(a, b) : run === 'a' ? a : b;
    return { kind: kind(), most: most > 0 ? most : 1 };
  };
  const apart = (): Scale => ({ kind: 'diverging', most: greatestOf(props.of.difference) || 1 });
  return (
    <div class="three">
      <For each={['a', 'b'] as const}>
        {(run) => (
          <div>
            <One picture={props.of[run]} label={t()[run]} scale={scaleOf(run)} />
            <Legend scale={scaleOf(run)} />
          </div>
        )}
      </For>
      <Show
        when={props.of.difference}
        fallback={
          <p class="soft small">{props.of.refused === undefined ? '' : errorText(app.t(), props.of.refused)}</p>
        }
      >
        {(picture) => (
          <div>
            <One picture={picture()} label={t().difference} scale={apart()} />
            <Show when={greatestOf(picture()) > 0} fallback={<p class="soft small">{t().same}</p>}>
              <Legend scale={apart()} />
            </Show>
          </div>
        )}
      </Show>
    </div>
  );
};
