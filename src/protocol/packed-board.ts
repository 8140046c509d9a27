import { z } from 'zod';
import { lensResult, type LensCell, type LensResult } from './lens.js';

/**
 * The lens on many cells as plain numbers: a tenth of what they take as text. The payload is float32, by row, position
 * and number: entropy, norm, change, broken, kl, distance; of each word probability, rank, logit; of each of the likeliest
 * id, probability, logit. NaN stands for null.
 */
export const boardResult = lensResult.omit({ rows: true }).extend({
  after: z.array(z.string()),
  /** How many of the likeliest words each cell has. */
  top: z.int(),
  hasVersus: z.boolean(),
  /** The texts of the words among the likeliest. */
  texts: z.array(z.tuple([z.int(), z.string()])),
});
export type BoardResult = z.infer<typeof boardResult>;

const fixed = 6;
const each = 3;

const numbersOf = (cell: LensCell, top: number): (number | null | undefined)[] => [
  ...[cell.entropy, cell.norm, cell.change, cell.broken, cell.versus?.kl, cell.versus?.distance],
  ...cell.words.flatMap(({ probability, rank, logit }) => [probability, rank, logit]),
  ...Array.from({ length: top }, (_, i) => [cell.top[i]?.id, cell.top[i]?.probability, cell.top[i]?.logit]).flat(),
];

/** A lens's answer without its cells, and these as numbers. */
export const packBoard = ({
  rows,
  ...rest
}: LensResult): { readonly result: BoardResult; readonly payload: Uint8Array<ArrayBuffer> } => {
  const cells = rows.flatMap((row) => row.cells);
  const top = Math.max(0, ...cells.map((c) => c.top.length));
  const width = fixed + each * (rest.words.length + top);
  const numbers = new Float32Array(cells.length * width);
  cells.forEach((cell, i) => numbersOf(cell, top).forEach((x, n) => (numbers[i * width + n] = x ?? NaN)));
  const texts = new Map(cells.flatMap((c) => c.top.map(({ id, text }) => [id, text] as const)));
  const hasVersus = cells.some((c) => c.versus !== undefined);
  const result = { ...rest, after: rows.map((r) => r.after), top, hasVersus, texts: [...texts] };
  return { result, payload: new Uint8Array(numbers.buffer) };
};

const orNull = (x: number | undefined): number | null => (x === undefined || Number.isNaN(x) ? null : x);

/** The cells again. [row][position] */
export const unpackBoard = (
  { after, positions, words, top, hasVersus, texts }: BoardResult,
  payload: Uint8Array<ArrayBuffer>,
): readonly (readonly LensCell[])[] => {
  const numbers = new Float32Array(payload.buffer, payload.byteOffset, Math.floor(payload.byteLength / 4));
  const names = new Map(texts);
  const width = fixed + each * (words.length + top);
  const cellAt = (at: number): LensCell => {
    const of = (i: number): number | undefined => numbers[at + i];
    const isThere = (from: number): boolean => !Number.isNaN(of(from) ?? NaN);
    const tops = Array.from({ length: top }, (_, t) => fixed + each * (words.length + t)).filter(isThere);
    return {
      ...{ entropy: orNull(of(0)), norm: orNull(of(1)), change: orNull(of(2)), broken: of(3) ?? 0 },
      ...(hasVersus ? { versus: { kl: orNull(of(4)), distance: orNull(of(5)) } } : {}),
      words: words.map((_, w) => {
        const from = fixed + each * w;
        return { probability: orNull(of(from)), rank: of(from + 1) ?? 0, logit: orNull(of(from + 2)) };
      }),
      top: tops.map((from) => {
        const id = of(from) ?? 0;
        return { id, text: names.get(id) ?? '', probability: of(from + 1) ?? 0, logit: orNull(of(from + 2)) };
      }),
    };
  };
  return after.map((_, r) => positions.map((_p, p) => cellAt((r * positions.length + p) * width)));
};
