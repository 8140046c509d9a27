import { createEffect, createMemo, createSignal, onCleanup, onMount, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { inks, watchSize } from '../../look/canvas.js';
import type { LayerAttention } from './data.js';
import { cellOf, drawGrid, headAt } from './draw-grid.js';
import { gridOf, type GridHead, type GridOrder } from './grid-layout.js';

interface Props {
  readonly layers: readonly LayerAttention[];
  readonly order: GridOrder;
  readonly hidden: number;
}

const steps: Readonly<Record<string, readonly [number, number]>> = {
  ...{ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] },
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
    const scene = { grid: grid(), cell: cell(), width: width(), hidden: props.hidden, palette: app.palette() };
    drawGrid(canvas, { ...scene, focus: grid().heads.find(isFocus), ...inks() });
  });
  const hit = (event: MouseEvent): GridHead | undefined => headAt(grid(), cell(), [event.offsetX, event.offsetY]);
  const choose = (entry: GridHead | undefined): void => {
    if (entry) app.look({ after: entry.layer.block, head: entry.head });
  };
  const move = (by: readonly [number, number]): void => {
    const at = grid().heads.find(isFocus);
    if (at) choose(grid().heads.find((h) => h.column === at.column + by[0] && h.row === at.row + by[1]));
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
