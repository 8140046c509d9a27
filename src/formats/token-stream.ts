import type { TokenStream } from './tokenizer.js';

/** What a stream needs of a tokenizer. */
export interface StreamSource {
  /** The piece of an id; undefined for one to leave out: a special token, or an id that is unknown. */
  pieceOf(id: number): string | undefined;
  /** Pieces as text; unfinished characters as U+FFFD. */
  decode(pieces: readonly string[]): string;
  /** How many of the last pieces hold a character that may go on in the next. */
  unfinished(pieces: readonly string[]): number;
}

/** Pieces of what came before that settle how the next begins. */
const contextPieces = 8;

/**
 * Turns ids into text as they come. A decoder treats the first piece unlike the others (a leading space is dropped), so
 * each new piece is decoded behind the pieces before it, and their text taken off.
 * @param after ids that came before
 */
export const makeTokenStream = (source: StreamSource, after: readonly number[]): TokenStream => {
  let context = after.map((id) => source.pieceOf(id)).filter((piece) => piece !== undefined);
  context = context.slice(-contextPieces);
  const pending: string[] = [];
  /** The text of the first pending pieces, which then count as told. */
  const tell = (count: number): string => {
    if (count === 0) return '';
    const told = pending.splice(0, count);
    const before = source.decode(context);
    const all = source.decode([...context, ...told]);
    context = told;
    return all.startsWith(before) ? all.slice(before.length) : source.decode(told);
  };
  return {
    push: (id) => {
      const piece = source.pieceOf(id);
      if (piece === undefined) return '';
      pending.push(piece);
      return tell(pending.length - source.unfinished(pending));
    },
    flush: () => tell(pending.length),
  };
};
