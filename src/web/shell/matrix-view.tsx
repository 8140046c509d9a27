import { createEffect, createMemo, createSignal, on, type JSX } from 'solid-js';
import { clearedContext, inks } from '../look/canvas.js';
import type { Rgb } from '../look/color.js';
import { stepOf, zoomOf } from '../look/keys.js';
import { makeImages, paint, type Ends } from '../look/matrix-image.js';
import { makeTiles, tileKey, tileSize, tilesSeen, wholeTile, type FetchTile, type TileAt } from '../look/tiles.js';
import { shortened } from '../look/token-text.js';
import { sameSize, usePicture, type Size } from '../look/use-picture.js';
import {
  fitScale,
  inFrame,
  panned,
  seen,
  showing,
  whole,
  zoomed,
  type Frame,
  type Viewport,
} from '../look/viewport.js';

export interface MatrixCell {
  readonly row: number;
  readonly column: number;
}

interface Props {
  readonly id: string;
  readonly label: string;
  /** Of the numbers: two pictures of one name have the same. */
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly fetch: FetchTile;
  readonly colors: readonly Rgb[];
  readonly ends: Ends;
  /** Texts along the sides; numbers where left out. */
  readonly rowTexts?: readonly string[] | undefined;
  readonly columnTexts?: readonly string[] | undefined;
  /** Rows and columns that stay empty. */
  readonly hiddenRows?: readonly number[];
  readonly hiddenColumns?: readonly number[];
  readonly focusRow?: number | undefined;
  readonly focusColumn?: number | undefined;
  /** The cell under the pointer, or where the keys have gone. */
  readonly onPoint: (cell: MatrixCell | undefined) => void;
  readonly onChoose?: (cell: MatrixCell) => void;
}

/** Pixels of a cell at the most. */
const largest = 34;
/** Room for the texts along the left and the top. */
const side = 58;
/** Room for the end of the last slanted text along the top. */
const overhang = 22;
const wheelStep = 1.0015;
/** A pointer that moved less was not dragged. */
const still = 4;

interface Scene {
  readonly size: Size;
  readonly frame: Frame;
  readonly at: Viewport;
  readonly tiles: readonly { readonly tile: TileAt; readonly image: OffscreenCanvas }[];
  readonly given: Props;
  readonly pointed: MatrixCell | undefined;
  readonly look: ReturnType<typeof inks>;
}

const drawTiles = (c: CanvasRenderingContext2D, { tiles, at, frame }: Scene): void => {
  for (const { tile, image } of tiles) {
    const each = 2 ** tile.level;
    const [x, y] = [tile.column * tileSize * each - at.left, tile.row * tileSize * each - at.top];
    // The last pixels stand for fewer numbers where the matrix ends inside them.
    paint(c, image, [x * at.scale, y * at.scale, image.width * each * at.scale, image.height * each * at.scale]);
  }
  c.clearRect((frame.columns - at.left) * at.scale, 0, 1e5, 1e5);
  c.clearRect(0, (frame.rows - at.top) * at.scale, 1e5, 1e5);
};

const drawHidden = (c: CanvasRenderingContext2D, { at, given, frame, look }: Scene): void => {
  c.fillStyle = look.ink.empty;
  const [width, height] = [frame.columns * at.scale, frame.rows * at.scale];
  for (const row of given.hiddenRows ?? []) c.fillRect(0, (row - at.top) * at.scale, width, at.scale);
  for (const column of given.hiddenColumns ?? []) c.fillRect((column - at.left) * at.scale, 0, at.scale, height);
};

const drawMarks = (c: CanvasRenderingContext2D, { at, given, pointed, frame, look }: Scene): void => {
  c.strokeStyle = look.ink.accent;
  c.lineWidth = 1.5;
  const thick = Math.max(2, at.scale);
  const row = pointed?.row ?? given.focusRow;
  const x = -at.left * at.scale;
  if (row !== undefined && row < frame.rows)
    c.strokeRect(x, (row - at.top) * at.scale, frame.columns * at.scale, thick);
  const column = pointed?.column ?? given.focusColumn;
  if (column !== undefined && column < frame.columns)
    c.strokeRect((column - at.left) * at.scale, -at.top * at.scale, thick, frame.rows * at.scale);
};

const drawTexts = (c: CanvasRenderingContext2D, { at, given, pointed, frame, look }: Scene): void => {
  const every = Math.max(1, Math.ceil(11 / at.scale));
  const shown = seen(frame, at);
  const textOf = (texts: readonly string[] | undefined, i: number): string =>
    texts ? shortened(texts[i] ?? '', 8) : String(i);
  c.font = `10.5px ${look.fonts.mono}`;
  c.textBaseline = 'middle';
  c.textAlign = 'right';
  for (let r = shown.rows[0]; r < shown.rows[1]; r++) {
    const isChosen = r === (pointed?.row ?? given.focusRow);
    if (r % every !== 0 && !isChosen) continue;
    c.fillStyle = isChosen ? look.ink.accent : look.ink.text;
    c.fillText(textOf(given.rowTexts, r), side - 5, side + (r + 0.5 - at.top) * at.scale);
  }
  c.textAlign = 'left';
  for (let k = shown.columns[0]; k < shown.columns[1]; k++) {
    const isChosen = k === (pointed?.column ?? given.focusColumn);
    if (k % every !== 0 && !isChosen) continue;
    c.save();
    c.translate(side + (k + 0.5 - at.left) * at.scale, side - 5);
    c.rotate(-Math.PI / 3);
    c.fillStyle = isChosen ? look.ink.accent : look.ink.text;
    c.fillText(textOf(given.columnTexts, k), 0, 0);
    c.restore();
  }
};

const draw = (canvas: HTMLCanvasElement, scene: Scene): void => {
  const c = clearedContext(canvas, scene.size);
  if (!c) return;
  c.save();
  c.beginPath();
  c.rect(side, side, scene.frame.room.width, scene.frame.room.height);
  c.clip();
  c.translate(side, side);
  drawTiles(c, scene);
  drawHidden(c, scene);
  drawMarks(c, scene);
  c.restore();
  drawTexts(c, scene);
};

/** Which part of the matrix is seen. */
const useViewport = (props: Props) => {
  const [room, setRoom] = createSignal<Size>({ width: 1, height: 1 }, { equals: sameSize });
  const frame = createMemo((): Frame => ({ rows: props.rows, columns: props.columns, room: room(), most: largest }));
  const [wanted, setWanted] = createSignal<Viewport>();
  createEffect(on([() => props.rows, () => props.columns], () => setWanted(undefined)));
  const at = createMemo((): Viewport => inFrame(frame(), wanted() ?? whole(frame())));
  const set = (next: Viewport): void => {
    setWanted(next.scale <= fitScale(frame()) ? undefined : next);
  };
  return { frame, at, set, setRoom };
};

const roomIn = ({ width, height }: Size): Size => ({
  width: Math.max(1, width - side - overhang),
  height: Math.max(40, height - side),
});

type View = ReturnType<typeof useViewport>;

/** Wheel, drag and pointing. */
const usePointer = (props: Props, view: View, point: (cell: MatrixCell | undefined) => void) => {
  let drag: { x: number; y: number; isMoved: boolean } | undefined;
  const cellAt = (event: MouseEvent): MatrixCell | undefined => {
    const { scale, left, top } = view.at();
    const [column, row] = [
      Math.floor(left + (event.offsetX - side) / scale),
      Math.floor(top + (event.offsetY - side) / scale),
    ];
    const isInside = event.offsetX >= side && event.offsetY >= side && column < props.columns && row < props.rows;
    return isInside ? { row, column } : undefined;
  };
  return {
    wheel: (event: WheelEvent): void => {
      event.preventDefault();
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))
        view.set(panned(view.frame(), view.at(), [event.deltaX + (event.shiftKey ? event.deltaY : 0), 0]));
      else {
        const by = wheelStep ** -event.deltaY;
        view.set(zoomed(view.frame(), view.at(), { by, x: event.offsetX - side, y: event.offsetY - side }));
      }
    },
    down: (event: PointerEvent & { currentTarget: HTMLElement }): void => {
      drag = { x: event.offsetX, y: event.offsetY, isMoved: false };
      event.currentTarget.setPointerCapture(event.pointerId);
    },
    move: (event: PointerEvent): void => {
      if (!drag) {
        point(cellAt(event));
        return;
      }
      const [dx, dy] = [drag.x - event.offsetX, drag.y - event.offsetY];
      if (!drag.isMoved && Math.hypot(dx, dy) < still) return;
      drag = { x: event.offsetX, y: event.offsetY, isMoved: true };
      view.set(panned(view.frame(), view.at(), [dx, dy]));
    },
    up: (event: PointerEvent): void => {
      const cell = cellAt(event);
      if (drag && !drag.isMoved && cell) props.onChoose?.(cell);
      drag = undefined;
    },
  };
};

/** Arrows move a cell about, +, − and 0 change the size. @returns whether the key was one of ours */
const pressed = (
  props: Props,
  view: View,
  { key, cell }: { readonly key: string; readonly cell: MatrixCell },
): MatrixCell | 'zoomed' | undefined => {
  const by = zoomOf(key);
  const { frame, at } = view;
  if (by !== undefined) {
    view.set(
      zoomed(frame(), at(), { by, x: (cell.column - at().left) * at().scale, y: (cell.row - at().top) * at().scale }),
    );
    return 'zoomed';
  }
  const step = stepOf(key);
  if (!step) return undefined;
  const within = (x: number, count: number): number => Math.min(count - 1, Math.max(0, x));
  const next = { row: within(cell.row + step[1], props.rows), column: within(cell.column + step[0], props.columns) };
  view.set(showing(frame(), at(), next));
  return next;
};

/**
 * A matrix as a picture that can be moved about and enlarged: only tiles that are seen are fetched, of a level at which
 * each pixel of the screen shows the greatest of what it stands for.
 */
export const MatrixView = (props: Props): JSX.Element => {
  const view = useViewport(props);
  const tiles = makeTiles();
  const images = makeImages();
  const [pointed, setPointed] = createSignal<MatrixCell>();
  const point = (cell: MatrixCell | undefined): void => {
    if (cell?.row === pointed()?.row && cell?.column === pointed()?.column) return;
    setPointed(cell);
    props.onPoint(cell);
  };
  const pointer = usePointer(props, view, point);
  const wanted = createMemo((): readonly TileAt[] => [
    wholeTile(props),
    ...tilesSeen(view.frame(), view.at(), devicePixelRatio),
  ]);
  createEffect(() => tiles.need({ name: props.name, fetch: props.fetch }, wanted()));
  const picture = usePicture<Scene>({
    scene: (size) => {
      view.setRoom(roomIn(size));
      const found = wanted().flatMap((tile) => {
        const matrix = tiles.all().get(tileKey(tile));
        return matrix ? [{ tile, image: images(matrix, props) }] : [];
      });
      const given = { ...props };
      return { size, frame: view.frame(), at: view.at(), tiles: found, given, pointed: pointed(), look: inks() };
    },
    draw,
  });
  return (
    <canvas
      ref={picture.ref}
      id={props.id}
      class="matrix-view"
      tabindex="0"
      role="application"
      aria-label={props.label}
      data-scale={view.at().scale.toFixed(3)}
      onWheel={pointer.wheel}
      onPointerDown={pointer.down}
      onPointerMove={pointer.move}
      onPointerUp={pointer.up}
      onPointerLeave={() => point(undefined)}
      onDblClick={() => view.set(whole(view.frame()))}
      onKeyDown={(event) => {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        const cell = pointed() ?? { row: props.focusRow ?? 0, column: 0 };
        if (event.key === 'Enter') props.onChoose?.(cell);
        const next = pressed(props, view, { key: event.key, cell });
        if (next !== undefined && next !== 'zoomed') point(next);
        if (next !== undefined) event.preventDefault();
      }}
    />
  );
};
