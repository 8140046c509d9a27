import { createEffect, createMemo, createSignal, onCleanup, onMount, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { inks } from '../../look/canvas.js';
import { stepOf } from '../../look/keys.js';
import type { Matrix } from '../../look/matrix.js';
import { makeImages, type Ends } from '../../look/matrix-image.js';
import { usePicture } from '../../look/use-picture.js';
import type { AttentionLayer } from '../../../protocol/index.js';
import type { HeadRef } from './data.js';
import { cellOf, drawGrid, headAt, type GridScene } from './draw-grid.js';
import { gridOf, type GridHead, type GridOrder } from './grid-layout.js';
import type { AttentionStore } from './store.js';

interface Props {
  readonly store: AttentionStore;
  readonly layers: readonly AttentionLayer[];
  readonly order: GridOrder;
  readonly ends: Ends;
  readonly isDifference: boolean;
}

/** Numbers of a layer that are fetched as they are, so that its heads' kinds are known. */
const smallLayer = 2 ** 17;

const isSmall = ({ heads, queries, keys, level }: AttentionLayer): boolean =>
  level === 0 && heads * queries * keys <= smallLayer;

/** What the grid takes of the panel's height, where its pictures are not too small then; the large head has the rest. */
const gridShare = 0.3;

/** Which part of what scrolls is seen, and the height that all heads should have. */
const useSeen = (scroller: () => HTMLElement | null | undefined) => {
  const [seen, setSeen] = createSignal<readonly [number, number]>([0, 2000]);
  const [room, setRoom] = createSignal(2000);
  onMount(() => {
    const element = scroller();
    if (!element) return;
    const tell = (): void => {
      setRoom(gridShare * (element.parentElement?.clientHeight ?? 0));
      setSeen([element.scrollTop, element.scrollTop + Math.max(room(), element.clientHeight)]);
    };
    element.addEventListener('scroll', tell, { passive: true });
    const observer = new ResizeObserver(tell);
    observer.observe(element.parentElement ?? element);
    onCleanup(() => {
      element.removeEventListener('scroll', tell);
      observer.disconnect();
    });
  });
  return { seen, room };
};

const same = (a: HeadRef, b: HeadRef): boolean => a.block === b.block && a.head === b.head;
const refOf = ({ layer, head }: GridHead): HeadRef => ({ block: layer.block, head });

/** A head in or out of those that are chosen; the one in focus is the first of them. */
const toggled = (chosen: readonly HeadRef[], focus: HeadRef | undefined, head: HeadRef): readonly HeadRef[] => {
  if (chosen.length === 0) return focus && !same(focus, head) ? [focus, head] : [head];
  return chosen.some((h) => same(h, head)) ? chosen.filter((h) => !same(h, head)) : [...chosen, head];
};

/** Where the grid's pictures are, and which of them are asked for. */
const useGrid = (props: Props, width: () => number, { seen, room }: ReturnType<typeof useSeen>) => {
  const app = useApp();
  const ids = () => (app.results.board()?.tokens ?? []).map((t) => t.id);
  const pictureOf = (layer: AttentionLayer, head: number): Matrix | undefined =>
    props.store.thumbs().get(layer.site)?.heads[head];
  const patternOf = (layer: AttentionLayer, head: number): Matrix | undefined =>
    isSmall(layer) && layer.site.endsWith('.pattern') ? pictureOf(layer, head) : undefined;
  const grid = createMemo(() => gridOf(props.layers, props.order, { ids: ids(), patternOf }));
  const cell = createMemo(() => cellOf(grid(), { width: width(), height: room() }));
  createEffect(() => {
    if (width() === 0 || props.layers.length === 0) return;
    const [from, to] = seen();
    const rows = props.layers.map((layer, i) => ({ layer, y: (props.layers.length - 1 - i) * cell().stepY }));
    const near = rows.filter(({ y, layer }) => (y + cell().stepY >= from && y <= to) || isSmall(layer));
    const wanted = near.map(({ layer }) => layer);
    const pixels = wanted.every(isSmall)
      ? Math.max(...wanted.map((l) => Math.max(l.queries, l.keys)))
      : Math.max(8, Math.ceil(cell().side * devicePixelRatio));
    if (wanted.length > 0)
      props.store.needThumbs(
        wanted.map((l) => l.site),
        pixels,
      );
  });
  return { grid, cell, pictureOf };
};

/** What a click or a key does: goes to a head, or takes it among those that are chosen. */
const useChoosing = (props: Props, grid: () => ReturnType<typeof gridOf>) => {
  const app = useApp();
  const focus = (): HeadRef | undefined => {
    const at = app.focus();
    return at && props.layers.some((l) => l.block === at.after) ? { block: at.after, head: at.head ?? 0 } : undefined;
  };
  const isFocus = (entry: GridHead): boolean => {
    const at = focus();
    return at !== undefined && same(at, refOf(entry));
  };
  const go = (entry: GridHead | undefined): void => {
    if (entry) app.look({ after: entry.layer.block, head: entry.head });
  };
  const toggle = (entry: GridHead | undefined): void => {
    if (entry) props.store.choose(toggled(props.store.chosen(), focus(), refOf(entry)));
  };
  const press = (event: KeyboardEvent): void => {
    const at = grid().heads.find(isFocus);
    const step = stepOf(event.key);
    if (event.key === ' ') toggle(at);
    else if (event.key === 'Escape') props.store.choose([]);
    else if (step && at) {
      const within = (x: number, count: number): number => Math.min(count - 1, Math.max(0, x));
      const [column, row] = [within(at.column + step[0], grid().columns), within(at.row + step[1], grid().rows)];
      go(grid().heads.find((h) => h.column === column && h.row === row));
    } else return;
    event.preventDefault();
  };
  const click = (event: MouseEvent, entry: GridHead | undefined): void => {
    if (event.shiftKey || event.ctrlKey || event.metaKey) {
      toggle(entry);
      return;
    }
    props.store.choose([]);
    go(entry);
  };
  return { isFocus, press, click };
};

/** All heads at a glance: each a picture of where it looks. */
export const HeadGrid = (props: Props): JSX.Element => {
  const app = useApp();
  let canvas: HTMLCanvasElement | undefined;
  const [width, setWidth] = createSignal(0);
  const at = useSeen(() => canvas?.closest<HTMLElement>('.grid-space'));
  const { grid, cell, pictureOf } = useGrid(props, width, at);
  const { isFocus, press, click } = useChoosing(props, grid);
  const images = app.kept('head images', makeImages);
  const picture = usePicture<GridScene>({
    scene: (size) => {
      setWidth(size.width);
      props.store.thumbs(); // drawn again as they come
      const isChosen = (entry: GridHead): boolean => props.store.chosen().some((h) => same(h, refOf(entry)));
      return {
        ...{ grid: grid(), cell: cell(), width: size.width, seen: at.seen(), ends: props.ends },
        colors: app.palette()[props.isDifference ? 'diverging' : 'sequential'],
        images,
        pictureOf: ({ layer, head }) => pictureOf(layer, head),
        ...{ isChosen, focus: grid().heads.find(isFocus), ...inks() },
      };
    },
    draw: drawGrid,
  });
  const hit = (event: MouseEvent): GridHead | undefined => headAt(grid(), cell(), [event.offsetX, event.offsetY]);
  return (
    <div class="head-grid">
      <canvas
        ref={(element) => {
          canvas = element;
          picture.ref(element);
        }}
        id="head-grid"
        tabindex="0"
        role="application"
        aria-label={app.t().attention.grid}
        onClick={(event) => click(event, hit(event))}
        onPointerMove={(event) => {
          const entry = hit(event);
          app.point(entry && app.t().attention.head(entry.name));
        }}
        onPointerLeave={() => app.point(undefined)}
        onKeyDown={press}
      />
    </div>
  );
};
