import type { Client } from '../../client/index.js';
import type { CompareResult, LensCell, TokenView } from '../../protocol/index.js';
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

/** Positions in parts, the last first: that is where one looks. */
const parts = (count: number, each: number): number[][] => {
  const all = Array.from({ length: count }, (_, i) => i);
  const from = Array.from({ length: Math.ceil(count / each) }, (_, i) => Math.max(0, count - (i + 1) * each));
  return from.map((start, i) => all.slice(start, count - i * each));
};

interface BoardRequest {
  readonly request: Request;
  readonly result: CompareResult;
  readonly word: number | undefined;
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
  { request, result, word, signal }: BoardRequest,
  show: (board: Board) => void,
): Promise<void> => {
  const tokens = result.after.target ?? result.after.tokens;
  const { vocab, layers } = result.model;
  const each = Math.max(8, Math.floor(scoresEach / (vocab * (layers + 1))));
  let board: Board | undefined;
  for (const positions of parts(tokens.length, each)) {
    const lens = await client.request(
      'lens',
      {
        ...{ ...request.input, edits: request.edits.map((text) => ({ text })), positions, top: 3 },
        words: word === undefined ? [] : [word],
        ...(request.edits.length > 0 && result.before.tokens.length === result.after.tokens.length
          ? { versus: [] }
          : {}),
      },
      { signal },
    );
    const rows = lens.rows.map((row) => row.after);
    const cells = lens.rows.map((row) => row.cells);
    board = withCells(board, { request, rows, tokens, word, vocab }, { positions, cells });
    show(board);
  }
};
