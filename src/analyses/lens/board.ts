import { bug } from '../../base/index.js';
import { scoreRows, type Compilations, type KeptRun } from '../../engine/index.js';
import type { Program } from '../../graph/index.js';
import { take, toFloat32, type Tensor } from '../../tensor/index.js';
import { checkScores } from './lens.js';
import { divergence, measureScores, type ScoreMeasures } from './measures.js';

export interface BoardRequest {
  readonly run: KeptRun;
  /** Of the tokens that are wanted, from 0. */
  readonly positions: readonly number[];
  /** Only the rows after these parts, by name; all where left out. */
  readonly after?: readonly string[] | undefined;
  /** How many of the likeliest words each cell has. */
  readonly top: number;
  /** Ids of words whose standing each cell has. */
  readonly words: readonly number[];
  /** Another run, of as many positions, to tell the difference to. */
  readonly versus?: KeptRun | undefined;
  /** Whether each cell has how far it is from what the model says in the end. */
  readonly kl?: boolean | undefined;
  /** Turns the stream after a part before it is read, as a tuned lens does. [1, row, model] -> the same */
  readonly translate?: ((after: string, rows: Tensor) => Promise<Tensor>) | undefined;
  readonly onRow?: () => void | Promise<void>;
}

/** One place of the stream: after a part of the model, at a position. */
export interface BoardCell extends ScoreMeasures {
  /** ‖stream‖. */
  readonly norm: number;
  /** ‖stream − stream before this part‖ / ‖stream before‖; null for the embedding. */
  readonly change: number | null;
  /** Numbers of the stream that are NaN or infinite. */
  readonly broken: number;
  /** From what is said here to what is said in the end: Σ p_end (log p_end − log p), nats. */
  readonly kl?: number;
  /** To the other run: of what the lens says, in nats; and ‖stream − other‖ / ‖other‖. */
  readonly versus?: { readonly kl: number; readonly distance: number };
}

export interface BoardRow {
  /** `embed`, or the block after which the stream is read: `blocks.3`. */
  readonly after: string;
  /** [position], as asked for. */
  readonly cells: readonly BoardCell[];
}

/** The parts after which the stream is read: the embedding and each block that runs, not those of an encoder. */
export const boardRows = (run: Pick<KeptRun, 'instances'>): readonly string[] =>
  run.instances
    .filter(({ segment }) => segment.stack !== 'encoder' && (segment.kind === 'embed' || segment.kind === 'block'))
    .map((i) => i.name);

const streamAt = (run: KeptRun, after: string, positions: readonly number[]): Tensor => {
  const stream = run.stream(after);
  if (!stream) throw bug(`there is no stream after ${after}`);
  return take(stream, 1, positions);
};

/** [position][model] */
const rowsOf = (stream: Tensor): readonly Float32Array[] => {
  const data = toFloat32(stream);
  const width = stream.shape.at(-1) ?? 1;
  return Array.from({ length: data.length / width }, (_, i) => data.subarray(i * width, (i + 1) * width));
};

const norm = (x: Float32Array): number => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0));
const away = (x: Float32Array, y: Float32Array): number =>
  Math.sqrt(x.reduce((sum, v, i) => sum + (v - (y[i] ?? 0)) ** 2, 0)) / norm(y);

/** Rows of scores that may be in memory at once, in numbers. */
const mostScores = 2 ** 24;

/** [position][vocab], some rows at a time: a vocabulary is wide. */
const scoresOf = async (
  model: { readonly program: Program; readonly compilations: Compilations },
  run: KeptRun,
  stream: Tensor,
): Promise<readonly Float32Array[]> => {
  const count = stream.shape[1] ?? 0;
  const each = Math.max(1, Math.floor(mostScores / model.program.facts.vocab));
  const rows: Float32Array[] = [];
  for (let from = 0; from < count; from += each) {
    const part = Array.from({ length: Math.min(each, count - from) }, (_, i) => from + i);
    rows.push(...rowsOf(await scoreRows(model, run.variant, take(stream, 1, part))));
  }
  return rows;
};

/** What a run has at the wanted positions after a part. */
const lookAt = async (
  model: { readonly program: Program; readonly compilations: Compilations },
  { run, after, request }: { run: KeptRun; after: string; request: BoardRequest },
) => {
  const stream = streamAt(run, after, request.positions);
  const read = request.translate ? await request.translate(after, stream) : stream;
  return { stream: rowsOf(stream), scores: await scoresOf(model, run, read) };
};

/** What the model says in the end, by position, where it is asked for. */
const endOf = async (
  model: { readonly program: Program; readonly compilations: Compilations },
  { run, positions, kl }: BoardRequest,
): Promise<readonly Float32Array[]> =>
  kl === true ? scoresOf(model, run, streamAt(run, boardRows(run).at(-1) ?? '', positions)) : [];

/**
 * The lens on every layer and position: what the model would say if it ended there, and how large the stream is.
 * @returns the embedding's row, then one for each block that runs
 * @throws UsageError OPTION_INVALID for a classifier
 * @source nostalgebraist 2020, "interpreting GPT: the logit lens"
 */
export const lensBoard = async (
  model: { readonly program: Program; readonly compilations: Compilations },
  request: BoardRequest,
): Promise<readonly BoardRow[]> => {
  checkScores(model.program);
  const { run, positions, top, words, versus } = request;
  const all = boardRows(run);
  const end = await endOf(model, request);
  const rows: BoardRow[] = [];
  for (const [r, after] of all.entries()) {
    if (request.after && !request.after.includes(after)) continue;
    await request.onRow?.();
    const own = await lookAt(model, { run, after, request });
    const other = versus?.stream(after) ? await lookAt(model, { run: versus, after, request }) : undefined;
    const before = r === 0 ? undefined : rowsOf(streamAt(run, all[r - 1] ?? '', positions));
    rows.push({
      after,
      cells: positions.map((_, p) => {
        const stream = own.stream[p] ?? new Float32Array();
        const scores = own.scores[p] ?? new Float32Array();
        const [theirs, theirScores] = [other?.stream[p], other?.scores[p]];
        return {
          ...measureScores(scores, top, words),
          norm: norm(stream),
          change: before?.[p] ? away(stream, before[p]) : null,
          ...(end[p] ? { kl: divergence(end[p], scores) } : {}),
          broken: stream.reduce((n, x) => n + (Number.isFinite(x) ? 0 : 1), 0),
          ...(theirs && theirScores
            ? { versus: { kl: divergence(theirScores, scores), distance: away(stream, theirs) } }
            : {}),
        };
      }),
    });
  }
  return rows;
};
