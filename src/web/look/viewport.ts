import { clamp } from './keys.js';
import type { Size } from './use-picture.js';

/** Which part of a matrix is seen, and how large: `scale` pixels a cell, the cell at `left`, `top` in the corner. */
export interface Viewport {
  readonly scale: number;
  readonly left: number;
  readonly top: number;
}

/** A matrix, and the room for its picture. */
export interface Frame {
  readonly rows: number;
  readonly columns: number;
  readonly room: Size;
  /** Pixels of a cell at the most. */
  readonly most: number;
}

/** The scale at which all is seen. */
export const fitScale = ({ rows, columns, room, most }: Frame): number =>
  Math.min(most, room.width / Math.max(1, columns), room.height / Math.max(1, rows));

/** A viewport inside its frame: not smaller than what fits, and nothing beside the matrix. */
export const inFrame = (frame: Frame, { scale, left, top }: Viewport): Viewport => {
  const kept = Math.min(Math.max(frame.most, 1), Math.max(fitScale(frame), scale));
  return {
    scale: kept,
    left: clamp(left, frame.columns - frame.room.width / kept),
    top: clamp(top, frame.rows - frame.room.height / kept),
  };
};

/** All of it, as large as fits. */
export const whole = (frame: Frame): Viewport => inFrame(frame, { scale: 0, left: 0, top: 0 });

/** Larger or smaller, the place under a point of the picture staying where it is. */
export const zoomed = (
  frame: Frame,
  at: Viewport,
  { by, x, y }: { readonly by: number; readonly x: number; readonly y: number },
): Viewport => {
  if (by === 0) return whole(frame);
  const { scale } = inFrame(frame, { ...at, scale: at.scale * by });
  return inFrame(frame, {
    scale,
    left: at.left + x / at.scale - x / scale,
    top: at.top + y / at.scale - y / scale,
  });
};

/** Moved by pixels. */
export const panned = (frame: Frame, at: Viewport, [dx, dy]: readonly [number, number]): Viewport =>
  inFrame(frame, { ...at, left: at.left + dx / at.scale, top: at.top + dy / at.scale });

/** Moved, by as little as it takes, so that a cell is seen. */
export const showing = (frame: Frame, at: Viewport, { row, column }: { row: number; column: number }): Viewport => {
  const [wide, high] = [frame.room.width / at.scale, frame.room.height / at.scale];
  const into = (from: number, cell: number, room: number): number =>
    cell < from ? cell : cell + 1 > from + room ? cell + 1 - room : from;
  return inFrame(frame, { ...at, left: into(at.left, column, wide), top: into(at.top, row, high) });
};

/** The first and the last cell that are seen, the last not included. */
export const seen = (
  { rows, columns, room }: Frame,
  { scale, left, top }: Viewport,
): { readonly rows: readonly [number, number]; readonly columns: readonly [number, number] } => ({
  rows: [Math.max(0, Math.floor(top)), Math.min(rows, Math.ceil(top + room.height / scale))],
  columns: [Math.max(0, Math.floor(left)), Math.min(columns, Math.ceil(left + room.width / scale))],
});

/** The level of a pyramid whose pixels are no smaller than the screen's, so that each bright cell is drawn. */
export const levelAt = ({ scale }: Viewport, density: number): number =>
  Math.max(0, Math.ceil(-Math.log2(scale * density)));
