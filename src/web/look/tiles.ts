import { createSignal, type Accessor } from 'solid-js';
import type { Matrix } from './matrix.js';
import { levelAt, seen, type Frame, type Viewport } from './viewport.js';

/** A tile of a picture: row and column among the tiles of its level. */
export interface TileAt {
  readonly level: number;
  readonly row: number;
  readonly column: number;
}

/** Pixels of a tile along a side. */
export const tileSize = 256;

/** Which tiles a viewport shows, of the level that fits its scale. */
export const tilesSeen = (frame: Frame, at: Viewport, density: number): readonly TileAt[] => {
  const level = levelAt(at, density);
  const each = tileSize * 2 ** level;
  const { rows, columns } = seen(frame, at);
  const tiles: TileAt[] = [];
  for (let row = Math.floor(rows[0] / each); row * each < rows[1]; row++)
    for (let column = Math.floor(columns[0] / each); column * each < columns[1]; column++)
      tiles.push({ level, row, column });
  return tiles;
};

/** The one tile that has all, of the first level that is small enough. */
export const wholeTile = ({ rows, columns }: Pick<Frame, 'rows' | 'columns'>): TileAt => ({
  level: Math.max(0, Math.ceil(Math.log2(Math.max(rows, columns, 1) / tileSize))),
  ...{ row: 0, column: 0 },
});

export const tileKey = ({ level, row, column }: TileAt): string => `${level} ${row} ${column}`;

/** Tiles kept of one picture; a few megabytes. */
const most = 96;

export type FetchTile = (tile: TileAt, signal: AbortSignal) => Promise<Matrix>;

/** Fetches the tiles that are asked for, each once; a picture of another name begins anew. */
export interface Tiles {
  readonly all: Accessor<ReadonlyMap<string, Matrix>>;
  need(picture: { readonly name: string; readonly fetch: FetchTile }, tiles: readonly TileAt[]): void;
}

export const makeTiles = (): Tiles => {
  const [all, setAll] = createSignal<ReadonlyMap<string, Matrix>>(new Map());
  let of = '';
  let controller = new AbortController();
  const pending = new Set<string>();
  const begin = (name: string): void => {
    controller.abort();
    controller = new AbortController();
    pending.clear();
    of = name;
    setAll(new Map());
  };
  const fetchTile = async (fetch: FetchTile, tile: TileAt): Promise<void> => {
    const [key, { signal }] = [tileKey(tile), controller];
    pending.add(key);
    const found = await fetch(tile, signal).catch(() => undefined); // held no more: asked for anew by who shows it
    if (signal.aborted) return;
    pending.delete(key);
    if (found) setAll(new Map([...[...all()].slice(1 - most), [key, found] as const]));
  };
  return {
    all,
    need: ({ name, fetch }, tiles) => {
      if (name !== of) begin(name);
      for (const tile of tiles)
        if (!all().has(tileKey(tile)) && !pending.has(tileKey(tile))) void fetchTile(fetch, tile);
    },
  };
};
