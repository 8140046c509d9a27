import { createEffect, createMemo, createSignal, on, onCleanup, onMount, type JSX } from 'solid-js';
import { useApp, type App } from '../../app.js';
import { rowName } from '../../look/names.js';
import { inks, watchSize } from '../../look/canvas.js';
import { cellText } from '../../shell/cell-text.js';
import type { Board } from '../../state/board.js';
import { drawBoard, type Scene } from './draw.js';
import { layoutOf, placeAt, scrollRange, scrollTo, type Layout, type Place } from './layout.js';
import { markOf } from './mark.js';
import { pinsOf } from './pins.js';
import { paletteFor, type ShownMeasure } from './shown-measure.js';

interface Props {
  readonly shown: ShownMeasure;
  readonly scroll: number;
  readonly setScroll: (scroll: number) => void;
}

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
  pins: pinsOf(app.results.shown()?.edits ?? [], board.rows, board.tokens.length),
  ...inks(),
});

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
      drawBoard(canvas, sceneOf(app, board, { layout: at, pointed: pointed(), shown: props.shown }));
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
        onClick={(event) => choose(hit(event))}
        onWheel={wheel}
        onKeyDown={(event) => {
          const board = app.results.board();
          if (board && moveBy(app, board, event.key)) event.preventDefault();
        }}
      />
    </div>
  );
};
