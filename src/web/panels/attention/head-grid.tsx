import { createEffect, createMemo, createSignal, onCleanup, onMount, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { clearedContext, inks, watchSize } from '../../look/canvas.js';
import { percent } from '../../look/numbers.js';
import type { LayerAttention } from './data.js';
import { imageOf, paint, shrunk } from './draw.js';
import { gridOf, type Grid, type GridHead, type GridOrder } from './grid-layout.js';

interface Props {
  readonly layers: readonly LayerAttention[];
  readonly order: GridOrder;
  readonly hidden: number;
}

const left = 34;
const gap = 3;
const widest = 66;
/** Room for a head's name below its picture, where rows are no layers. */
const caption = 13;

const cellOf = (grid: Grid, width: number) => {
  const side = Math.min(widest, (width - left) / grid.columns - gap);
  return { side, stepX: side + gap, stepY: side + gap + (grid.names.length === 0 ? caption : 0) };
};

/** All heads at a glance: each a picture of where it looks. */
export const HeadGrid = (props: Props): JSX.Element => {
  const app = useApp();
  let canvas: HTMLCanvasElement | undefined;
  const [width, setWidth] = createSignal(0);
  const ids = () => (app.results.board()?.tokens ?? []).map((t) => t.id);
  const grid = createMemo(() => gridOf(props.layers, props.order, ids()));
  const cell = createMemo(() => cellOf(grid(), width()));
  onMount(() => canvas?.parentElement && onCleanup(watchSize(canvas.parentElement, (size) => setWidth(size.width))));
  const isFocus = ({ layer, head }: GridHead): boolean =>
    layer.block === app.focus()?.after && head === app.focus()?.head;
  createEffect(() => {
    if (!canvas || width() === 0) return;
    const { side, stepX, stepY } = cell();
    const size = { width: width(), height: Math.max(1, grid().rows * stepY + 14) };
    canvas.style.height = `${size.height}px`;
    const c = clearedContext(canvas, size);
    const { ink, fonts } = inks();
    if (!c) return;
    c.font = `10px ${fonts.text}`;
    c.textBaseline = 'middle';
    c.fillStyle = ink.soft;
    c.textAlign = 'right';
    grid().names.forEach((name, row) => c.fillText(name, left - 6, row * stepY + side / 2));
    c.textAlign = 'center';
    for (const entry of grid().heads) {
      const [x, y] = [left + entry.column * stepX, entry.row * stepY];
      const picture = entry.layer.heads[entry.head];
      if (!picture) continue;
      const image = imageOf(shrunk(picture, Math.ceil(side * devicePixelRatio)), app.palette(), props.hidden);
      c.fillStyle = ink.empty;
      c.fillRect(x, y, side, side);
      paint(c, image, [x, y, side, side]);
      c.fillStyle = isFocus(entry) ? ink.accent : ink.soft;
      if (entry.share !== undefined) c.fillText(`${entry.name} ${percent(entry.share)}`, x + side / 2, y + side + 7);
      c.lineWidth = 2.5;
      c.strokeStyle = ink.accent;
      if (isFocus(entry)) c.strokeRect(x - 1, y - 1, side + 2, side + 2);
    }
    c.fillStyle = ink.soft;
    if (grid().names.length > 0)
      for (let head = 0; head < grid().columns; head++)
        c.fillText(String(head), left + head * stepX + side / 2, grid().rows * stepY + 6);
  });
  const hit = (event: MouseEvent): GridHead | undefined => {
    const { stepX, stepY } = cell();
    const [column, row] = [Math.floor((event.offsetX - left) / stepX), Math.floor(event.offsetY / stepY)];
    return grid().heads.find((h) => h.column === column && h.row === row);
  };
  const choose = (entry: GridHead | undefined): void => {
    if (entry) app.look({ after: entry.layer.block, head: entry.head });
  };
  const move = (by: readonly [number, number]): void => {
    const at = grid().heads.find(isFocus);
    if (at) choose(grid().heads.find((h) => h.column === at.column + by[0] && h.row === at.row + by[1]));
  };
  const steps: Readonly<Record<string, readonly [number, number]>> = {
    ...{ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] },
  };
  return (
    <div class="head-grid">
      <canvas
        ref={canvas}
        id="head-grid"
        tabindex="0"
        role="application"
        aria-label={app.t().attention.grid}
        onClick={(event) => choose(hit(event))}
        onPointerMove={(event) => {
          const entry = hit(event);
          app.point(entry && app.t().attention.head(entry.name));
        }}
        onPointerLeave={() => app.point(undefined)}
        onKeyDown={(event) => {
          const by = steps[event.key];
          if (!by) return;
          event.preventDefault();
          move(by);
        }}
      />
    </div>
  );
};
