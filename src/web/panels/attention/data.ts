import { DebuggerError } from '../../../base/index.js';
import type { Client } from '../../../client/index.js';
import type { Request } from '../../state/request.js';

/** A matrix of numbers: rows look, columns are looked at. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
}

/** One layer's attention: a picture a head. */
export interface LayerAttention {
  /** `blocks.3.attn.pattern` */
  readonly site: string;
  /** `blocks.3`, as the board's rows are named. */
  readonly block: string;
  /** `encoder`: the self-attention of an encoder that stands before a decoder. */
  readonly kind: 'self' | 'cross' | 'encoder';
  readonly queries: number;
  readonly keys: number;
  /** By head; each pixel the greatest of 2^level x 2^level numbers. */
  readonly heads: readonly Matrix[];
  readonly level: number;
  /** Whether the host holds its numbers with those of all layers. */
  readonly isHeld: boolean;
}

/** What is asked for of one run: under `run` the host holds it. */
export interface AttentionRun {
  readonly client: Client;
  readonly request: Request;
  readonly run: string;
  readonly signal: AbortSignal;
}

/** A picture of a head has at most so many pixels along a side. */
const mostPixels = 512;

export const levelFor = (queries: number, keys: number, most = mostPixels): number =>
  Math.max(0, Math.ceil(Math.log2(Math.max(queries, keys) / most)));

const floats = ({ buffer }: Uint8Array<ArrayBuffer>): Float32Array => new Float32Array(buffer);

/** One head as a picture whose pixels are the greatest of those that they stand for. */
export const readHead = async (
  { client, run, signal }: AttentionRun,
  site: string,
  { head, level }: { readonly head: number; readonly level: number },
): Promise<Matrix> => {
  const view = await client.view(
    { at: { run, site, where: { head } }, as: { kind: 'maxPyramid', level, size: 4096 } },
    { signal },
  );
  const [rows = 0, columns = 0] = view.view.kind === 'maxPyramid' ? view.view.result : [];
  return { rows, columns, data: floats(view.data) };
};

/** All heads of a layer in one answer, where they are small. */
const readHeads = async ({ client, run, signal }: AttentionRun, site: string): Promise<readonly Matrix[]> => {
  const view = await client.view({ at: { run, site }, as: { kind: 'slice' } }, { signal });
  const [, heads = 0, rows = 0, columns = 0] = view.shape;
  const all = floats(view.data);
  return Array.from({ length: heads }, (_, h) => ({
    ...{ rows, columns },
    data: all.subarray(h * rows * columns, (h + 1) * rows * columns),
  }));
};

/** Numbers of a layer that are fetched as they are. */
const smallLayer = 2 ** 17;
const thumbnailPixels = 64;

const readLayer = async (
  run: AttentionRun,
  { name, shape }: { readonly name: string; readonly shape: readonly number[] },
): Promise<LayerAttention> => {
  const [, heads = 0, queries = 0, keys = 0] = shape;
  const isSmall = heads * queries * keys <= smallLayer;
  const level = isSmall ? 0 : levelFor(queries, keys, thumbnailPixels);
  const pictures = isSmall
    ? await readHeads(run, name)
    : await Promise.all(Array.from({ length: heads }, (_, head) => readHead(run, name, { head, level })));
  const block = name.replace(/\.(?:cross_)?attn\.pattern$/, '');
  const kind = name.includes('.cross_attn.') ? 'cross' : name.startsWith('encoder.') ? 'encoder' : 'self';
  return { site: name, block, kind, queries, keys, heads: pictures, level, isHeld: true };
};

const capture = ({ client, request, run, signal }: AttentionRun, sites: string) =>
  client.request(
    'capture',
    { ...request.input, edits: request.edits.map((text) => ({ text })), sites, run, maxBytes: 2 ** 30 },
    { signal },
  );

const isTooLarge = (error: unknown): boolean => error instanceof DebuggerError && error.info.code === 'MEMORY_LIMIT';

/** A layer at a time, each in the place of the one before. */
const readOneByOne = async (run: AttentionRun, show: (layers: readonly LayerAttention[]) => void): Promise<void> => {
  const { client, request, signal } = run;
  const { sites = [] } = await client.request('list', { model: request.input.model, show: ['sites'] }, { signal });
  const layers: LayerAttention[] = [];
  for (const { name } of sites.filter((s) => s.name.endsWith('.pattern'))) {
    const [site] = (await capture(run, name)).sites;
    if (site) layers.push({ ...(await readLayer(run, site)), isHeld: false });
    show([...layers]);
  }
};

/**
 * The attention of all layers, the lowest first; `show` is told as they come. What does not fit into memory together is
 * captured a layer at a time.
 * @throws what the host answers
 */
export const readAttention = async (
  run: AttentionRun,
  show: (layers: readonly LayerAttention[]) => void,
): Promise<void> => {
  const all = await capture(run, '**.pattern').catch((error: unknown) => {
    if (isTooLarge(error)) return undefined;
    throw error;
  });
  if (!all) return readOneByOne(run, show);
  const layers: LayerAttention[] = [];
  for (const site of all.sites) {
    layers.push(await readLayer(run, site));
    if (layers.length === all.sites.length || layers.length % 8 === 0) show([...layers]);
  }
};

/** One number of a site, exactly. */
export const readCell = async (
  { client, run, signal }: AttentionRun,
  site: string,
  where: Readonly<Record<string, number>>,
): Promise<number | undefined> => {
  const view = await client.view(
    { at: { run, site, where }, as: { kind: 'slice' }, dtype: 'float32' },
    { signal, key: 'attention cell' },
  );
  return floats(view.data)[0];
};

/** Captures sites of one layer, for `readCell` and `readHead`. */
export const captureLayer = async (run: AttentionRun, sites: string): Promise<void> => {
  await capture(run, sites);
};
