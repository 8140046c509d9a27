/** Where the board's cells are on its canvas, in CSS pixels. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Room for the names of layers, and for the tokens below. */
  readonly left: number;
  readonly bottom: number;
  readonly cellWidth: number;
  readonly cellHeight: number;
  readonly rows: number;
  readonly columns: number;
  /** How far it is scrolled to the right, and down from the last layer. */
  readonly scroll: number;
  readonly scrollDown: number;
}

export interface Place {
  /** 0 is the embedding's, the lowest. */
  readonly row: number;
  readonly position: number;
}

const left = 44;
const flatLabels = 22;
const turnedLabels = 58;
/** From this width on, a token's name stands level. */
const levelFrom = 34;
const lowest = 14;
const highest = 96;
/** Cells wider than this grow higher too, so that what is in them can be shown. */
const growsFrom = 120;
const heightShare = 0.56;

export const layoutOf = (
  { rows, columns }: { readonly rows: number; readonly columns: number },
  { width, height }: { readonly width: number; readonly height: number },
  { zoom, scroll, scrollDown = 0 }: { readonly zoom: number; readonly scroll: number; readonly scrollDown?: number },
): Layout => {
  const fit = (width - left) / Math.max(1, columns);
  const cellWidth = zoom > 0 ? Math.max(zoom, fit) : Math.min(fit, 120);
  const bottom = cellWidth >= levelFrom ? flatLabels : turnedLabels;
  const fitting = Math.min(
    highest,
    Math.max(Math.min(lowest, (height - bottom) / Math.max(1, rows)), (height - bottom) / Math.max(1, rows)),
  );
  const cellHeight = cellWidth > growsFrom ? Math.max(fitting, heightShare * cellWidth) : fitting;
  const lowestSeen = Math.max(0, rows * cellHeight - (height - bottom));
  const most = Math.max(0, columns * cellWidth - (width - left));
  return {
    width,
    height,
    left,
    bottom,
    cellWidth,
    cellHeight,
    rows,
    columns,
    scroll: Math.min(most, Math.max(0, scroll)),
    scrollDown: Math.min(lowestSeen, Math.max(0, scrollDown)),
  };
};

/** How far it can be scrolled. */
export const scrollRange = ({ columns, cellWidth, width, left: begin }: Layout): number =>
  Math.max(0, columns * cellWidth - (width - begin));

export const xOf = ({ left: begin, cellWidth, scroll }: Layout, position: number): number =>
  begin + position * cellWidth - scroll;
export const yOf = ({ rows, cellHeight, scrollDown }: Layout, row: number): number =>
  (rows - 1 - row) * cellHeight - scrollDown;

/** How far down it can be scrolled; and where its cells end on the canvas. */
export const downRange = ({ rows, cellHeight, height, bottom }: Layout): number =>
  Math.max(0, rows * cellHeight - (height - bottom));
export const cellsEnd = ({ rows, cellHeight, height, bottom }: Layout): number =>
  Math.min(rows * cellHeight, height - bottom);

/** What is under a point; undefined beside the cells. */
export const placeAt = (layout: Layout, x: number, y: number): Place | undefined => {
  const { left: begin, cellWidth, cellHeight, rows, columns, scroll, scrollDown } = layout;
  const position = Math.floor((x - begin + scroll) / cellWidth);
  const row = rows - 1 - Math.floor((y + scrollDown) / cellHeight);
  const isInside = y < cellsEnd(layout) && x >= begin && position >= 0 && position < columns && row >= 0 && row < rows;
  return isInside ? { row, position } : undefined;
};

/** The first and last column that can be seen, the last not included. */
export const visibleColumns = ({
  left: begin,
  cellWidth,
  width,
  scroll,
  columns,
}: Layout): readonly [number, number] => [
  Math.max(0, Math.floor(scroll / cellWidth)),
  Math.min(columns, Math.ceil((scroll + width - begin) / cellWidth)),
];

/** The scroll that brings a row into view, by as little as it takes. */
export const scrollDownTo = (layout: Layout, row: number): number => {
  const { rows, cellHeight, scrollDown } = layout;
  const from = (rows - 1 - row) * cellHeight;
  const room = cellsEnd(layout);
  const near = from < scrollDown ? from : from + cellHeight > scrollDown + room ? from + cellHeight - room : scrollDown;
  return Math.min(downRange(layout), Math.max(0, near));
};

/** The scroll that brings a position into view, by as little as it takes; in the middle where that is far. */
export const scrollTo = (layout: Layout, position: number): number => {
  const { left: begin, width, cellWidth, scroll } = layout;
  const room = width - begin;
  const from = position * cellWidth;
  if (from >= scroll && from + cellWidth <= scroll + room) return scroll;
  const isNear = from + cellWidth > scroll - room && from < scroll + 2 * room;
  const near = from < scroll ? from : from + cellWidth - room;
  const wanted = isNear ? near : from - room / 2;
  return Math.min(scrollRange(layout), Math.max(0, wanted));
};
