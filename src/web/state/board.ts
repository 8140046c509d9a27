import type { Client } from '../../client/index.js';
import { unpackBoard, type CompareResult, type LensCell, type TokenView } from '../../protocol/index.js';
import type { Request } from './request.js';

/** The lens on every layer and position, as far as it is there. */
export interface Board {
  readonly request: Request;
  /** The embedding first: `embed`, `blocks.0` ... */
  readonly rows: readonly string[];
  readonly tokens: readonly TokenView[];
  /** [row][position] */
  readonly cells: readonly (readonly (LensCell | undefined)[])[];
  /** The tracked word's id. */
  readonly word: number | undefined;
  readonly vocab: number;
}

/** Scores that one request may take to compute, in numbers: some tenths of a second. */
const scoresEach = 3e7;

/** Positions in parts, those first that are nearest to where one looks. */
const parts = (count: number, each: number, near: number): number[][] => {
  const all = Array.from({ length: count }, (_, i) => i);
  const from = Array.from({ length: Math.ceil(count / each) }, (_, i) => Math.max(0, count - (i + 1) * each));
  const away = (part: readonly number[]): number => Math.min(...part.map((p) => Math.abs(p - near)));
  return from.map((start, i) => all.slice(start, count - i * each)).sort((a, b) => away(a) - away(b));
};

interface BoardRequest {
  readonly request: Request;
  readonly result: CompareResult;
  readonly word: number | undefined;
  /** The position in focus; the last where none is. */
  readonly near: number | undefined;
  /** The encoder's own board, of which no words are read. */
  readonly stack?: 'encoder';
  readonly signal: AbortSignal;
}

const withCells = (
  board: Board | undefined,
  given: Omit<Board, 'cells'>,
  { positions, cells }: { readonly positions: readonly number[]; readonly cells: readonly (readonly LensCell[])[] },
): Board => {
  const empty = given.rows.map(() => new Array<LensCell | undefined>(given.tokens.length).fill(undefined));
  const all = (board?.cells ?? empty).map((row) => [...row]);
  for (const [r, row] of cells.entries()) {
    const target = all[r];
    for (const [i, cell] of row.entries()) if (target) target[positions[i] ?? 0] = cell;
  }
  return { ...given, cells: all };
};

/** Reads the board part by part; `show` is told of each. @throws what the host answers */
export const readBoard = async (
  client: Client,
  { request, result, word, near, stack, signal }: BoardRequest,
  show: (board: Board) => void,
): Promise<void> => {
  const isEncoder = stack === 'encoder';
  const isWordless = result.after.labels !== undefined;
  const tokens = isEncoder ? result.after.tokens : (result.after.target ?? result.after.tokens);
  const { vocab, layers } = result.model;
  const each = Math.max(8, Math.floor(scoresEach / (vocab * (layers + 1))));
  let board: Board | undefined;
  for (const positions of parts(tokens.length, each, near ?? tokens.length - 1)) {
    const { result: lens, payload } = await client.requestBytes(
      'board',
      {
        ...{ ...request.input, edits: request.edits.map((text) => ({ text })), positions, top: 3 },
        words: word === undefined || isEncoder || isWordless ? [] : [word],
        ...(isWordless ? { wordless: true } : {}),
        ...(isEncoder ? { stack: 'encoder' as const } : {}),
        ...(request.edits.length > 0 && result.before.tokens.length === result.after.tokens.length
          ? { versus: [] }
          : {}),
      },
      { signal },
    );
    const given = { request, rows: lens.after, tokens, word, vocab };
    board = withCells(board, given, { positions, cells: unpackBoard(lens, payload) });
    show(board);
  }
};
