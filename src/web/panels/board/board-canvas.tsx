import { createEffect, createMemo, createSignal, on, onCleanup, onMount, Show, type JSX } from 'solid-js';
import { useApp, type App } from '../../app.js';
import { rowName } from '../../look/names.js';
import { inks, watchSize } from '../../look/canvas.js';
import { cellText } from '../../shell/cell-text.js';
import type { Board } from '../../state/board.js';
import { BoardMenu, type Asked } from './board-menu.jsx';
import { drawBoard, type Scene } from './draw.js';
import { Execution } from './execution.jsx';
import { layoutOf, placeAt, scrollRange, scrollTo, type Layout, type Place } from './layout.js';
import { layerNumber, marginAt } from './margins.js';
import { markOf } from './mark.js';
import { measures } from './measures.js';
import { pinsOf } from './pins.js';

interface Props {
  readonly ends: readonly [number, number];
  readonly scroll: number;
  readonly setScroll: (scroll: number) => void;
}

const placeOfFocus = (app: App, board: Board): Place | undefined => {
  const at = app.focus();
  const row = at ? board.rows.indexOf(at.after) : -1;
  return at && row >= 0 ? { row, position: at.position } : undefined;
};

const sceneOf = (app: App, board: Board, given: Pick<Scene, 'layout' | 'pointed' | 'ends'>): Scene => ({
  ...given,
  names: board.rows.map(rowName),
  ...{ tokens: board.tokens, cells: board.cells, measure: measures[app.view.measure], palette: app.palette() },
  focus: app.session.store.focus ? placeOfFocus(app, board) : undefined,
  mark: markOf(app),
  pins: pinsOf(app.results.shown()?.edits ?? [], board.rows, board.tokens.length),
  ...inks(),
});

/** A click beside the cells: a breakpoint at the layer or the token whose name is there. */
const breakAt = (app: App, board: Board, { row, position }: Partial<Place>): void => {
  const layer = row === undefined ? undefined : layerNumber(board.rows[row]);
  if (layer !== undefined) app.debugging.toggle({ layer });
  if (position !== undefined) app.debugging.toggle({ token: position });
};

const steps: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [1, 0],
  ArrowDown: [-1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  Home: [0, -1e9],
  End: [0, 1e9],
  PageUp: [1e9, 0],
  PageDown: [-1e9, 0],
};

const clamp = (x: number, most: number): number => Math.min(most, Math.max(0, x));

/** Moves the focus by a key. @returns whether the key was one of ours */
const moveBy = (app: App, board: Board, key: string): boolean => {
  const [step, at] = [steps[key], placeOfFocus(app, board)];
  if (!step || !at) return false;
  const row = clamp(at.row + step[0], board.rows.length - 1);
  app.look({ after: board.rows[row] ?? 'embed', position: clamp(at.position + step[1], board.tokens.length - 1) });
  return true;
};

/** Where the cells are, given the size of the canvas; the position in focus stays in view. */
const useLayout = (props: Props) => {
  const app = useApp();
  const [size, setSize] = createSignal({ width: 0, height: 0 });
  const layout = createMemo((): Layout | undefined => {
    const board = app.results.board();
    const grid = board && { rows: board.rows.length, columns: board.tokens.length };
    return grid && size().width > 0 ? layoutOf(grid, size(), { zoom: app.view.zoom, scroll: props.scroll }) : undefined;
  });
  createEffect(
    on([() => app.focus()?.position, () => app.view.zoom, () => layout()?.columns], ([position]) => {
      const at = layout();
      if (at && position !== undefined) props.setScroll(scrollTo(at, position));
    }),
  );
  return { layout, setSize };
};

/** The board as a picture, drawn again when something of it changes. */
export const BoardCanvas = (props: Props): JSX.Element => {
  const app = useApp();
  let canvas: HTMLCanvasElement | undefined;
  const [pointed, setPointed] = createSignal<Place>();
  const { layout, setSize } = useLayout(props);
  onMount(() => canvas?.parentElement && onCleanup(watchSize(canvas.parentElement, setSize)));
  createEffect(() => {
    const [board, at] = [app.results.board(), layout()];
    if (canvas && board && at && board.tokens.length === at.columns)
      drawBoard(canvas, sceneOf(app, board, { layout: at, pointed: pointed(), ends: props.ends }));
  });
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
    app.setView({ tab: 'block' });
  };
  const [asked, setAsked] = createSignal<Asked>();
  const margin = (event: MouseEvent): Partial<Place> | undefined => {
    const at = layout();
    return at && marginAt(at, event.offsetX, event.offsetY);
  };
  const click = (event: MouseEvent): void => {
    const [board, beside] = [app.results.board(), margin(event)];
    if (board && beside) breakAt(app, board, beside);
    else choose(hit(event));
  };
  const ask = (place: Partial<Place> | undefined, { x, y }: { readonly x: number; readonly y: number }): void =>
    void setAsked(place && { place, x, y });
  /** By keyboard, the menu is of the cell in focus. */
  const askHere = (): void => {
    const [board, box] = [app.results.board(), canvas?.getBoundingClientRect()];
    if (board && box) ask(placeOfFocus(app, board), { x: box.x + box.width / 3, y: box.y + box.height / 3 });
  };
  const wheel = (event: WheelEvent): void => {
    const at = layout();
    if (!at || scrollRange(at) === 0) return;
    event.preventDefault();
    props.setScroll(clamp(at.scroll + event.deltaX + event.deltaY, scrollRange(at)));
  };
  return (
    <div class="board-space">
      <canvas
        ref={canvas}
        id="board-canvas"
        tabindex="0"
        role="application"
        aria-label={app.t().board.label}
        onPointerMove={(event) => point(hit(event))}
        onPointerLeave={() => point(undefined)}
        onClick={click}
        onContextMenu={(event) => {
          event.preventDefault();
          if (event.button === 2) ask(hit(event) ?? margin(event), event);
        }}
        onWheel={wheel}
        onKeyDown={(event) => {
          const board = app.results.board();
          if (event.key === 'ContextMenu' || (event.shiftKey && event.key === 'F10')) askHere();
          if (board && moveBy(app, board, event.key)) event.preventDefault();
        }}
      />
      <Execution layout={layout()} />
      <Show when={asked()}>{(at) => <BoardMenu asked={at()} close={() => setAsked(undefined)} />}</Show>
    </div>
  );
};
