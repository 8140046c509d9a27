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
  /** The encoder's cells: nothing is said there, so they have no words. */
  readonly stack?: 'encoder' | undefined;
  /** Cells have no words, as the encoder's: for models that give labels. */
  readonly wordless?: boolean | undefined;
  /** Another run, of as many positions, to tell the difference to. */
  readonly versus?: KeptRun | undefined;
  /** Called before each piece of work, of some tenths of a second at the most; throws to stop. */
  readonly onPiece?: () => void | Promise<void>;
  /** Whether each cell has how far it is from what the model says in the end. */
  readonly kl?: boolean | undefined;
  /** Turns the stream after a part before it is read, as a tuned lens does. [1, row, model] -> the same */
  readonly translate?: ((after: string, rows: Tensor) => Promise<Tensor>) | undefined;
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

/**
 * The parts after which the stream is read: the embedding and each block that runs. Of an encoder-decoder those of the
 * decoder, or, where it is asked for, of the encoder.
 */
export const boardRows = (run: Pick<KeptRun, 'instances'>, stack?: 'encoder'): readonly string[] =>
  run.instances
    .filter(({ segment }) => (segment.stack === 'encoder') === (stack === 'encoder'))
    .filter(({ segment }) => segment.kind === 'embed' || segment.kind === 'block')
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

type Model = { readonly program: Program; readonly compilations: Compilations };

/** Scores that one piece of work makes, in numbers: a vocabulary is wide, and one may ask to stop. */
const pieceScores = 2 ** 21;

/** Positions, some at a time. */
const pieces = (positions: readonly number[], vocab: number): readonly (readonly number[])[] => {
  const each = Math.max(1, Math.floor(pieceScores / vocab));
  return Array.from({ length: Math.ceil(positions.length / each) }, (_, i) =>
    positions.slice(i * each, (i + 1) * each),
  );
};

/** Scores of rows of the stream, by what made the run. */
const scored = (
  model: Model,
  run: KeptRun,
  { rows, positions }: { readonly rows: Tensor; readonly positions: readonly number[] },
): Promise<Tensor> => run.score?.(rows, positions) ?? scoreRows(model, run.variant, rows);

interface Place {
  readonly after: string;
  /** The part before, after which the stream is read too; undefined for the embedding. */
  readonly before: string | undefined;
  readonly positions: readonly number[];
  /** What stands here is not read as words. */
  readonly isSilent: boolean;
  /** What the model says in the end, by position; empty where it is not asked for. */
  readonly ends: ReadonlyMap<number, Float32Array>;
}

/** What a run has at some positions after a part. */
const lookAt = async (
  model: Model,
  { run, translate }: Pick<BoardRequest, 'run' | 'translate'>,
  { after, positions, isSilent }: Place,
) => {
  const stream = streamAt(run, after, positions);
  const read = translate && !isSilent ? await translate(after, stream) : stream;
  const scores = isSilent ? undefined : rowsOf(await scored(model, run, { rows: read, positions }));
  return { stream: rowsOf(stream), scores };
};

/** What a place says that says nothing. */
const silence: ScoreMeasures = { top: [], entropy: NaN, words: [] };

const cellsAt = async (
  model: Model,
  { run, top, words, versus, translate, onPiece }: BoardRequest,
  place: Place,
): Promise<readonly BoardCell[]> => {
  await onPiece?.();
  const own = await lookAt(model, { run, translate }, place);
  await onPiece?.();
  const other = versus?.stream(place.after) ? await lookAt(model, { run: versus, translate }, place) : undefined;
  const before = place.before === undefined ? undefined : rowsOf(streamAt(run, place.before, place.positions));
  const cells: BoardCell[] = [];
  for (const p of place.positions.keys()) {
    if (p % 8 === 0) await onPiece?.();
    const stream = own.stream[p] ?? new Float32Array();
    const scores = own.scores?.[p];
    const end = place.ends.get(place.positions[p] ?? -1);
    const [theirs, theirScores] = [other?.stream[p], other?.scores?.[p]];
    cells.push({
      ...(scores ? measureScores(scores, top, words) : silence),
      norm: norm(stream),
      change: before?.[p] ? away(stream, before[p]) : null,
      ...(end && scores ? { kl: divergence(end, scores) } : {}),
      broken: stream.reduce((n, x) => n + (Number.isFinite(x) ? 0 : 1), 0),
      ...(theirs
        ? {
            versus: {
              kl: theirScores && scores ? divergence(theirScores, scores) : NaN,
              distance: away(stream, theirs),
            },
          }
        : {}),
    });
  }
  return cells;
};

/** An encoder's stream is never scored. */
const isSilent = ({ stack, wordless }: Pick<BoardRequest, 'stack' | 'wordless'>): boolean =>
  stack === 'encoder' || wordless === true;

/** What the model says in the end, by position, where it is asked for. */
const endsOf = async (
  model: Model,
  { run, positions, kl, onPiece, ...request }: BoardRequest,
): Promise<ReadonlyMap<number, Float32Array>> => {
  const ends = new Map<number, Float32Array>();
  if (kl !== true || isSilent(request)) return ends;
  const last = boardRows(run).at(-1) ?? '';
  for (const piece of pieces(positions, model.program.facts.vocab)) {
    await onPiece?.();
    const scores = rowsOf(await scored(model, run, { rows: streamAt(run, last, piece), positions: piece }));
    piece.forEach((position, i) => ends.set(position, scores[i] ?? new Float32Array()));
  }
  return ends;
};

/**
 * The lens on every layer and position: what the model would say if it ended there, and how large the stream is.
 * @returns the embedding's row, then one for each block that runs
 * @throws UsageError OPTION_INVALID for a classifier, unless no words are read
 * @source nostalgebraist 2020, "interpreting GPT: the logit lens"
 */
export const lensBoard = async (model: Model, request: BoardRequest): Promise<readonly BoardRow[]> => {
  if (!isSilent(request)) checkScores(model.program);
  const all = boardRows(request.run, request.stack);
  const ends = await endsOf(model, request);
  const place = { isSilent: isSilent(request), ends };
  const rows: BoardRow[] = [];
  for (const [r, after] of all.entries()) {
    if (request.after && !request.after.includes(after)) continue;
    const before = r === 0 ? undefined : all[r - 1];
    const cells: BoardCell[] = [];
    for (const positions of pieces(request.positions, model.program.facts.vocab))
      cells.push(...(await cellsAt(model, request, { after, before, positions, ...place })));
    rows.push({ after, cells });
  }
  return rows;
};
