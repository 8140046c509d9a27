import type { Client } from '../../../client/index.js';
import type { HostOutput, HostParams, WeightEntry } from '../../../protocol/index.js';
import type { Matrix } from '../../look/matrix.js';
import { tileSize, type TileAt } from '../../look/tiles.js';
import type { Request } from '../../state/request.js';

type Answer<K extends string> = Extract<HostOutput<'view'>['view'], { kind: K }>;

/** A weight: its numbers at a glance. */
export interface WeightLook {
  readonly request: Request;
  /** Of a difference: a run whose weight is taken off. */
  readonly minus?: Request | undefined;
  readonly entry: WeightEntry;
  readonly axes: readonly string[];
  readonly stats: Answer<'stats'>;
  readonly histogram: Answer<'histogram'>;
}

const weightEdits = ({ edits }: Request) =>
  edits.filter((text) => /^(?:replace )?weight /.test(text)).map((text) => ({ text }));

/** A weight as requests name it, with the edits of weights that are in the experiment. */
export const weightParams = (
  request: Request,
  { name }: WeightEntry,
  minus?: Request,
): Omit<HostParams<'weight'>, 'as'> => ({
  ...{ model: request.input.model, binding: request.input.binding, name, edits: weightEdits(request) },
  ...(minus ? { minus: { model: minus.input.model, edits: weightEdits(minus) } } : {}),
});

/** @throws what the host answers */
export const readWeight = async (
  client: Client,
  { request, minus, entry }: Pick<WeightLook, 'request' | 'minus' | 'entry'>,
  signal: AbortSignal,
): Promise<WeightLook> => {
  const given = weightParams(request, entry, minus);
  const stats = await client.weight({ ...given, as: { kind: 'stats' } }, { signal });
  const histogram = await client.weight({ ...given, as: { kind: 'histogram', bins: 61 } }, { signal });
  return {
    ...{ request, minus, entry, axes: stats.axes },
    stats: stats.view as Answer<'stats'>,
    histogram: histogram.view as Answer<'histogram'>,
  };
};

/** A tile of the weight's picture: each pixel the number farthest from 0 of 2^level x 2^level. */
export const readWeightTile = async (
  client: Client,
  { request, minus, entry }: Pick<WeightLook, 'request' | 'minus' | 'entry'>,
  { level, row, column, signal }: TileAt & { readonly signal: AbortSignal },
): Promise<Matrix> => {
  const tile: [number, number] = [row, column];
  const as = { kind: 'maxPyramid', level, tile, size: tileSize, by: 'absmax' } as const;
  const view = await client.weight({ ...weightParams(request, entry, minus), as }, { signal });
  const [rows = 0, columns = 0] = view.view.kind === 'maxPyramid' ? view.view.result : [];
  return { rows, columns, data: new Float32Array(view.data.buffer) };
};

/** One number of the weight, exactly. */
export const readWeightCell = async (
  client: Client,
  { request, minus, entry, axes }: Pick<WeightLook, 'request' | 'minus' | 'entry' | 'axes'>,
  { row, column, signal }: { readonly row: number; readonly column: number; readonly signal: AbortSignal },
): Promise<number | undefined> => {
  const long = axes.filter((_, a) => (entry.shape[a] ?? 1) > 1);
  const indices = long.length > 1 ? [row, column] : [column];
  const where = Object.fromEntries(long.map((axis, i) => [axis, indices[i] ?? 0]));
  const given = { ...weightParams(request, entry, minus), where, as: { kind: 'slice' } as const };
  const view = await client.weight(given, { signal, key: 'weight cell' });
  return new Float32Array(view.data.buffer)[0];
};

/** Rows and columns of a weight's picture: its axes longer than 1. */
export const pictureSize = ({ shape }: WeightEntry): { readonly rows: number; readonly columns: number } => {
  const long = shape.filter((n) => n > 1);
  const [rows = 1, columns = 1] = [...new Array<number>(Math.max(0, 2 - long.length)).fill(1), ...long];
  return { rows, columns };
};

/** Names whose parts have every word of a text. */
export const weightsFound = (entries: readonly WeightEntry[], text: string): readonly WeightEntry[] => {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  return entries.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
};
