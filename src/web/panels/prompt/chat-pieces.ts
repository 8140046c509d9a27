import type { PlacedToken } from '../../../protocol/index.js';

/** A stretch of a text: one special token, or what stands between two. */
export interface Piece {
  readonly text: string;
  readonly isSpecial: boolean;
}

/** A rendered conversation cut at its special tokens; all of the text is in the pieces. */
export const piecesOf = (text: string, tokens: readonly PlacedToken[]): readonly Piece[] => {
  const pieces: Piece[] = [];
  let at = 0;
  for (const { start, end } of tokens.filter((t) => t.special === true && t.end > t.start)) {
    if (start > at) pieces.push({ text: text.slice(at, start), isSpecial: false });
    pieces.push({ text: text.slice(Math.max(at, start), end), isSpecial: true });
    at = Math.max(at, end);
  }
  if (at < text.length) pieces.push({ text: text.slice(at), isSpecial: false });
  return pieces;
};
