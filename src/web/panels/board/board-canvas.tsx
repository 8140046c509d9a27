import { createEffect, createMemo, createSignal, on, type JSX } from 'solid-js';
import { useApp, type App } from '../../app.js';
import { rowName } from '../../look/names.js';
import { inks } from '../../look/canvas.js';
import { clamp, stepOf, zoomOf } from '../../look/keys.js';
import { sameSize, usePicture, type Size } from '../../look/use-picture.js';
import { cellText } from '../../shell/cell-text.js';
import type { Board } from '../../state/board.js';
import { drawBoard, type Scene } from './draw.js';
import { Execution } from './execution.jsx';
import { largeCells, useInside, type Inside } from './inside.js';
import {
  downRange,
  layoutOf,
  placeAt,
  scrollDownTo,
  scrollRange,
  scrollTo,
  visibleColumns,
  type Layout,
  type Place,
} from './layout.js';
import { markOf } from './mark.js';
import { pinsOf } from './pins.js';
import { paletteFor, type ShownMeasure } from './shown-measure.js';
import { useBreaks } from './use-breaks.jsx';

interface Props {
  readonly shown: ShownMeasure;
  readonly scroll: Scroll;
  readonly setScroll: (scroll: Scroll) => void;
}

/** How far the board is moved, in pixels. */
export interface Scroll {
  readonly right: number;
  readonly down: number;
}

export const sameScroll = (a: Scroll, b: Scroll): boolean => a.right === b.right && a.down === b.down;

const placeOfFocus = (app: App, board: Board): Place | undefined => {
  const at = app.focus();
  const row = at ? board.rows.indexOf(at.after) : -1;
  return at && row >= 0 ? { row, position: at.position } : undefined;
};

const sceneOf = (
  app: App,
  board: Board,
  { shown, ...given }: Pick<Scene, 'layout' | 'pointed'> & { readonly shown: ShownMeasure },
): Scene => ({
  ...given,
  names: board.rows.map(rowName),
  ...{ tokens: board.tokens, cells: board.cells, palette: paletteFor(app.palette(), shown.scale) },
  ...{ measure: shown.measure, ends: shown.ends, isDiverging: shown.scale === 'diverging' },
  focus: app.session.store.focus ? placeOfFocus(app, board) : undefined,
  mark: markOf(app),
  masks: (app.results.compare()?.after.masks ?? []).map((mask) => mask.position),
  pins: pinsOf(app.results.shown()?.edits ?? [], board.rows, board.tokens.length),
  ...inks(),
});

/** Moves the focus by a key. @returns whether the key was one of ours */
const moveBy = (app: App, board: Board, key: string): boolean => {
  const [step, at] = [stepOf(key), placeOfFocus(app, board)];
  if (!step || !at) return false;
  const row = clamp(at.row - step[1], board.rows.length - 1);
  app.look({ after: board.rows[row] ?? 'embed', position: clamp(at.position + step[0], board.tokens.length - 1) });
  return true;
};

/** Where the cells are, given the size of the canvas; the cell in focus stays in view. */
const useLayout = (props: Props, size: () => Size) => {
  const app = useApp();
  const layout = createMemo((): Layout | undefined => {
    const board = app.results.board();
    const grid = board && { rows: board.rows.length, columns: board.tokens.length };
    const { right, down } = props.scroll;
    return grid && size().width > 0
      ? layoutOf(grid, size(), { zoom: app.view.zoom, scroll: right, scrollDown: down })
      : undefined;
  });
  createEffect(
    on(
      [() => app.focus()?.position, () => app.focus()?.after, () => app.view.zoom, () => layout()?.columns],
      ([position, after]) => {
        const [at, board] = [layout(), app.results.board()];
        if (!at || position === undefined) return;
        const row = board?.rows.indexOf(after ?? '') ?? -1;
        props.setScroll({ right: scrollTo(at, position), down: row < 0 ? at.scrollDown : scrollDownTo(at, row) });
      },
    ),
  );
  return layout;
};

const narrowest = 4;
const widest = 320;
/** From so wide on a cell grows in smaller steps of the wheel. */
const wheelStep = 1.0015;
/** A pointer that moved less was not dragged. */
const still = 4;

/** Larger or smaller by a factor, from what is seen now; 0: as wide as fits. */
const zoomBy = (app: App, layout: Layout, by: number): void => {
  const wanted = layout.cellWidth * by;
  const isWhole = by === 0 || (by < 1 && scrollRange(layout) === 0);
  app.setView({ zoom: isWhole ? 0 : Math.min(widest, Math.max(narrowest, wanted)) });
};

/** Wheel and drag: both move the board, with Control the wheel changes its size. */
const useMoving = (props: Props, layout: () => Layout | undefined) => {
  const app = useApp();
  let drag: { x: number; y: number; isMoved: boolean } | undefined;
  const moveBy = (at: Layout, [dx, dy]: readonly [number, number]): void =>
    props.setScroll({
      right: clamp(at.scroll + dx, scrollRange(at)),
      down: clamp(at.scrollDown + dy, downRange(at)),
    });
  return {
    wheel: (event: WheelEvent): void => {
      const at = layout();
      if (!at) return;
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        zoomBy(app, at, wheelStep ** -event.deltaY);
        return;
      }
      if (scrollRange(at) === 0 && downRange(at) === 0) return;
      event.preventDefault();
      moveBy(at, downRange(at) > 0 ? [event.deltaX, event.deltaY] : [event.deltaX + event.deltaY, 0]);
    },
    down: (event: PointerEvent): void => void (drag = { x: event.offsetX, y: event.offsetY, isMoved: false }),
    /** @returns whether the board is being dragged */
    move: (event: PointerEvent & { currentTarget: HTMLElement }): boolean => {
      const at = layout();
      if (!drag || !at || event.buttons === 0) return false;
      const [dx, dy] = [drag.x - event.offsetX, drag.y - event.offsetY];
      if (!drag.isMoved && Math.hypot(dx, dy) < still) return false;
      event.currentTarget.setPointerCapture(event.pointerId);
      drag = { x: event.offsetX, y: event.offsetY, isMoved: true };
      moveBy(at, [dx, dy]);
      return true;
    },
    /** @returns whether the click that follows is the end of a drag */
    wasDragged: (): boolean => drag?.isMoved ?? false,
  };
};

/** The board as a picture, drawn once a frame when something of it changed. */
const useBoardPicture = (props: Props, pointed: () => Place | undefined) => {
  const app = useApp();
  const [size, setSize] = createSignal<Size>({ width: 0, height: 0 }, { equals: sameSize });
  const layout = useLayout(props, size);
  const inside = useInside(
    app,
    createMemo(() => {
      const at = layout();
      return at ? largeCells(at, visibleColumns(at)) : [];
    }),
  );
  const picture = usePicture<Scene>({
    scene: (room) => {
      setSize(room);
      const [board, at] = [app.results.board(), layout()];
      if (!board || at?.columns !== board.tokens.length) return undefined;
      const found: ReadonlyMap<string, Inside> = inside();
      return {
        ...sceneOf(app, board, { layout: at, pointed: pointed(), shown: props.shown }),
        ...{ inside: found, afters: board.rows },
      };
    },
    draw: drawBoard,
  });
  return { layout, picture };
};

export const BoardCanvas = (props: Props): JSX.Element => {
  const app = useApp();
  const [pointed, setPointed] = createSignal<Place>();
  const { layout, picture } = useBoardPicture(props, pointed);
  const moving = useMoving(props, layout);
  let canvas: HTMLCanvasElement | undefined;
  const hit = (event: MouseEvent): Place | undefined => {
    const at = layout();
    return at && placeAt(at, event.offsetX, event.offsetY);
  };
  const point = (place: Place | undefined): void => {
    const board = app.results.board();
    setPointed(place);
    app.point(place && board ? cellText(app, board, place) : undefined);
  };
  const choose = (place: Place | undefined): void => {
    const board = app.results.board();
    if (!place || !board) return;
    app.look({ after: board.rows[place.row] ?? 'embed', position: place.position, head: undefined });
    app.fork(undefined);
    if (app.view.tab !== 'program') app.setView({ tab: 'block' }); // there the listing follows
  };
  const breaks = useBreaks({ layout, canvas: () => canvas, focused: (board) => placeOfFocus(app, board) });
  const press = (event: KeyboardEvent): void => {
    breaks.key(event);
    const [board, at, by] = [app.results.board(), layout(), zoomOf(event.key)];
    if (!board || !at || event.ctrlKey || event.metaKey || event.altKey) return;
    if (by !== undefined) zoomBy(app, at, by);
    else if (!moveBy(app, board, event.key)) return;
    event.preventDefault();
  };
  return (
    <div class="board-space">
      <canvas
        ref={(element) => {
          canvas = element;
          picture.ref(element);
        }}
        id="board-canvas"
        tabindex="0"
        role="application"
        aria-label={app.t().board.label}
        onPointerDown={moving.down}
        onPointerMove={(event) => {
          if (!moving.move(event)) point(hit(event));
        }}
        onPointerLeave={() => point(undefined)}
        onClick={(event) => {
          if (!moving.wasDragged() && !breaks.click(event)) choose(hit(event));
        }}
        onContextMenu={breaks.menu}
        onWheel={moving.wheel}
        onKeyDown={press}
      />
      <Execution layout={layout()} />
      <breaks.Menu />
    </div>
  );
};
