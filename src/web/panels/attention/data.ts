import type { Client } from '../../../client/index.js';
import type { AttentionKind, AttentionLayer, AttentionResult, HostParams } from '../../../protocol/index.js';
import type { Progress } from '../../state/results.js';
import type { Request } from '../../state/request.js';
import { matricesOf, type Matrix } from '../../look/matrix.js';
import { tileSize, type TileAt } from '../../look/tiles.js';

/** What is shown of attention, whichever heads: the numbers, which stack, which tokens. */
export interface Shown {
  readonly kind: AttentionKind;
  readonly value: 'pattern' | 'scores' | 'weighted';
  /** Whether special tokens are left out, and whether the rest of a row sums to 1 again. */
  readonly isHidden: boolean;
  readonly renormalise: boolean;
  /** Whether B less A is shown of two runs. */
  readonly isDifference: boolean;
}

/** A head by its layer: `blocks.3`, 2. */
export interface HeadRef {
  readonly block: string;
  readonly head: number;
}

/** Which heads one sees large. */
export type Large =
  | { readonly show: 'mean'; readonly heads: readonly HeadRef[] }
  | { readonly show: 'rollout'; readonly through: string };

/** What is asked for of one run: under `run` the host holds it. */
export interface AttentionRun {
  readonly client: Client;
  readonly request: Request;
  readonly run: string;
  /** A run whose values are taken off these. */
  readonly minus?: string | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** Pixels along a side of the pictures that are held of all heads. */
const heldPixels = 128;
/** What a capture may take, in bytes: two layers of 2,048 tokens and 32 heads go through at once. */
const mostBytes = 2 ** 32;

const floats = ({ buffer }: Uint8Array<ArrayBuffer>): Float32Array => new Float32Array(buffer);

const asking = ({ request, run }: AttentionRun, shown: Shown): HostParams<'attention'> => ({
  ...{ ...request.input, edits: request.edits.map((text) => ({ text })), run, maxBytes: mostBytes },
  ...{ kind: shown.kind, value: shown.value },
  ...(shown.isHidden ? { hide: { specials: true, renormalise: shown.renormalise } } : {}),
});

const attention = (
  { client, signal, onProgress }: AttentionRun,
  params: HostParams<'attention'>,
): Promise<AttentionResult> =>
  client.request('attention', params, {
    signal,
    onTold: (told) => {
      if (told.type === 'progress') onProgress?.({ done: told.done, total: told.total, what: told.what });
    },
  });

/** Has the host hold pictures of all heads of all layers. @throws what the host answers */
export const askGrid = (run: AttentionRun, shown: Shown): Promise<AttentionResult> =>
  attention(run, { ...asking(run, shown), show: 'each', size: heldPixels });

/** Has the host hold the mean of heads, or the rollout. @throws what the host answers */
export const askLarge = (run: AttentionRun, shown: Shown, large: Large): Promise<AttentionResult> =>
  large.show === 'mean'
    ? attention(run, { ...asking(run, shown), show: 'mean', heads: large.heads.map((h) => ({ ...h })) })
    : attention(run, { ...asking(run, { ...shown, value: 'pattern' }), show: 'rollout', through: large.through });

type RunView = Pick<AttentionRun, 'run' | 'minus'>;

/** A site of a run, or of one less another. */
const placed = ({ run, minus }: RunView, site: string) => ({
  at: { run, site },
  ...(minus === undefined ? {} : { minus: { run: minus, site } }),
});

/** What a pixel shows of the numbers under it: of differences the one farthest from 0. */
const pixelOf = ({ minus }: RunView) => (minus === undefined ? 'max' : 'absmax');

/** All heads of a layer as pictures of at most so many pixels, each the greatest of those that it stands for. */
export const readThumbs = async (
  run: AttentionRun,
  { site, queries, keys, level }: AttentionLayer,
  pixels: number,
): Promise<readonly Matrix[]> => {
  const held = Math.max(queries, keys) / 2 ** level;
  const further = Math.max(0, Math.ceil(Math.log2(held / pixels)));
  const as = { kind: 'maxPyramid', level: further, size: 4096, stack: 'head', by: pixelOf(run) } as const;
  const view = await run.client.view({ ...placed(run, site), as }, { signal: run.signal });
  return matricesOf(floats(view.data), view.view.kind === 'maxPyramid' ? view.view.result : []);
};

/** A tile of a large picture. */
export const readTile = async (run: AttentionRun, site: string, { level, row, column }: TileAt): Promise<Matrix> => {
  const tile: [number, number] = [row, column];
  const as = { kind: 'maxPyramid', level, tile, size: tileSize, by: pixelOf(run) } as const;
  const view = await run.client.view({ ...placed(run, site), as }, { signal: run.signal });
  const [rows = 0, columns = 0] = view.view.kind === 'maxPyramid' ? view.view.result : [];
  return { rows, columns, data: floats(view.data) };
};

/** The number of a cell, exactly; of a difference that. */
export const readCell = async (
  run: AttentionRun,
  site: string,
  where: Readonly<Record<string, number>>,
): Promise<number | undefined> => {
  const { at, ...minus } = placed(run, site);
  const view = await run.client.view({ at: { ...at, where }, ...minus, as: { kind: 'slice' } }, { signal: run.signal });
  return floats(view.data)[0];
};

/** `blocks.3` and its kind as what its sites begin with. */
export const attnOf = (block: string, kind: AttentionKind): string =>
  `${block}.${kind === 'cross' ? 'cross_attn' : 'attn'}`;

/** Has the host hold one head's scores and pattern and its layer's values. @returns how many heads share their keys */
export const captureHead = async (run: AttentionRun, { block, head }: HeadRef, kind: AttentionKind): Promise<void> => {
  const attn = attnOf(block, kind);
  const sites = `${attn}.scores[head=${head}],${attn}.pattern[head=${head}],${attn}.v`;
  const { client, request, signal } = run;
  const edits = request.edits.map((text) => ({ text }));
  await client.request('capture', { ...request.input, edits, sites, run: run.run, maxBytes: mostBytes }, { signal });
};

/** What a cell is made of. */
export interface CellNumbers {
  readonly score: number | undefined;
  readonly share: number | undefined;
  /** ‖v‖ of the key. */
  readonly length: number | undefined;
}

export interface CellAt {
  readonly query: number;
  readonly key: number;
}

/** The formula's numbers of a cell of a head that `captureHead` holds. */
export const readNumbers = async (
  run: AttentionRun,
  { block, head, heads, kind }: HeadRef & { readonly heads: number; readonly kind: AttentionKind },
  { query, key }: CellAt,
): Promise<CellNumbers> => {
  const attn = attnOf(block, kind);
  const where = { query, [kind === 'cross' ? 'source' : 'key']: key };
  const { client, signal } = run;
  const [score, share, values] = await Promise.all([
    readCell(run, `${attn}.scores`, where),
    readCell(run, `${attn}.pattern`, where),
    client.view(
      { at: { run: run.run, site: `${attn}.v` }, as: { kind: 'reduce', over: ['headDim'], by: 'norm' } },
      { signal },
    ),
  ]);
  // [1, key, kvHead]; heads of a group share one.
  const kvHeads = values.view.kind === 'reduce' ? (values.view.result.at(-1) ?? 1) : 1;
  const length = floats(values.data)[key * kvHeads + Math.floor(head / (heads / kvHeads))];
  return { score, share, length };
};
