import { createEffect, createSignal, type Accessor } from 'solid-js';
import type { App } from '../../app.js';
import type { Client } from '../../../client/index.js';
import { compact } from '../../look/numbers.js';
import type { Request } from '../../state/request.js';
import { xOf, yOf, type Layout, type Place } from './layout.js';

/** Cells from this size on show what is in them. */
export const insideFrom = { width: 230, height: 126 };

/** Lengths of what one layer does at one token: what comes in, what its parts add, and the sums. */
export interface Inside {
  readonly before: number | undefined;
  /** By head. */
  readonly heads: readonly number[];
  readonly attention: number | undefined;
  readonly middle: number | undefined;
  readonly mlp: number | undefined;
  readonly after: number | undefined;
}

interface Asked {
  readonly client: Client;
  readonly request: Request;
  readonly run: string;
  readonly block: string;
  readonly position: number;
}

const parts = ['resid_pre', 'attn.result', 'attn_out', 'resid_mid', 'mlp_out', 'resid_post'] as const;

/** Lengths along the stream's axis, of each site of the block that there is. */
const readInside = async ({ client, request, run, block, position }: Asked): Promise<Inside> => {
  const edits = request.edits.map((text) => ({ text }));
  const normsOf = async (part: (typeof parts)[number]): Promise<readonly number[]> => {
    const site = `${block}.${part}`;
    const of = `${run} ${part}`;
    try {
      const sites = `${site}[position=${position}]`;
      await client.request('capture', { ...request.input, edits, sites, run: of });
      const as = { kind: 'reduce' as const, over: ['model'], by: 'norm' as const };
      return [...new Float32Array((await client.view({ at: { run: of, site }, as })).data.buffer)];
    } catch {
      return []; // a parallel block has no middle
    }
  };
  const found = new Map<string, readonly number[]>();
  for (const part of parts) found.set(part, await normsOf(part));
  const one = (part: (typeof parts)[number]): number | undefined => found.get(part)?.[0];
  return {
    ...{ before: one('resid_pre'), heads: found.get('attn.result') ?? [], attention: one('attn_out') },
    ...{ middle: one('resid_mid'), mlp: one('mlp_out'), after: one('resid_post') },
  };
};

export const insideKey = (after: string, position: number): string => `${after} ${position}`;

/** What is in the cells that are large enough to show it, one after the other. */
export const useInside = (app: App, wanted: Accessor<readonly Place[]>): Accessor<ReadonlyMap<string, Inside>> => {
  const run = `inside-${Math.random().toString(36).slice(2, 10)}`;
  const [found, setFound] = createSignal<ReadonlyMap<string, Inside>>(new Map());
  let of = '';
  let busy = false;
  const next = async (): Promise<void> => {
    const [board, request, client] = [app.results.board(), app.results.shown(), app.session.client()];
    if (busy || !board || !request || !client) return;
    if (of !== request.key) setFound(new Map());
    of = request.key;
    const place = wanted().find(({ row, position }) => {
      const after = board.rows[row] ?? '';
      return after.includes('blocks.') && !found().has(insideKey(after, position));
    });
    if (!place) return;
    busy = true;
    const block = board.rows[place.row] ?? '';
    const inside = await readInside({ client, request, run, block, position: place.position }).catch(() => undefined);
    busy = false;
    if (inside && of === request.key) setFound(new Map([...found(), [insideKey(block, place.position), inside]]));
    if (inside) await next();
  };
  createEffect(() => {
    wanted();
    app.results.shown();
    void next();
  });
  return found;
};

/** Cells that are seen and large enough. */
export const largeCells = (layout: Layout, columns: readonly [number, number]): readonly Place[] => {
  const { cellWidth, cellHeight, rows, height, bottom } = layout;
  if (cellWidth < insideFrom.width || cellHeight < insideFrom.height) return [];
  const places: Place[] = [];
  for (let row = 0; row < rows; row++) {
    const y = yOf(layout, row);
    if (y + cellHeight <= 0 || y >= height - bottom) continue;
    for (let position = columns[0]; position < columns[1]; position++) places.push({ row, position });
  }
  return places;
};

interface Look {
  readonly layout: Layout;
  readonly place: Place;
  readonly inside: Inside;
  readonly fonts: { readonly mono: string; readonly text: string };
}

/** Heads as bars side by side, each with its length where there is room. */
const drawHeads = (
  c: CanvasRenderingContext2D,
  { inside, fonts }: Look,
  [x, y, width, height]: readonly [number, number, number, number],
): void => {
  const most = Math.max(1e-12, ...inside.heads);
  const each = width / Math.max(1, inside.heads.length);
  c.textAlign = 'center';
  inside.heads.forEach((norm, h) => {
    const high = (height - 12) * (norm / most);
    c.globalAlpha = 0.5;
    c.fillRect(x + h * each + 1, y + height - 11 - high, Math.max(1, each - 2), high);
    c.globalAlpha = 1;
    c.font = `8.5px ${fonts.text}`;
    if (each >= 9) c.fillText(String(h), x + (h + 0.5) * each, y + height - 5);
  });
};

/**
 * What a layer does at a token, from bottom to top as on the board: the stream that comes in, what the heads write (a bar
 * each), their sum, the MLP, and the stream that goes out; with the length of each.
 */
export const drawInside = (c: CanvasRenderingContext2D, look: Look): void => {
  const { layout, place, inside, fonts } = look;
  const { cellWidth, cellHeight } = layout;
  const [x, y] = [xOf(layout, place.position) + 8, yOf(layout, place.row)];
  const width = cellWidth - 16;
  const line = (text: string, share: number): void => {
    c.font = `10.5px ${fonts.mono}`;
    c.textAlign = 'left';
    c.fillText(text, x, y + share * cellHeight);
  };
  line(`↑ ‖x‖ ${compact(inside.after)}`, 0.25);
  line(`+ MLP ${compact(inside.mlp)}`, 0.38);
  line(`= ${compact(inside.middle)}`, 0.5);
  line(`+ attn ${compact(inside.attention)}`, 0.63);
  line(`↑ ‖x‖ ${compact(inside.before)}`, 0.93);
  const half = width / 2;
  drawHeads(c, look, [x + half, y + 0.3 * cellHeight, half, 0.62 * cellHeight]);
};
