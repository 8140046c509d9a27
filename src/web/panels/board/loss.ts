import type { Board } from '../../state/board.js';
import type { Place } from './layout.js';

/** A smaller fall is no event. */
const least = 0.1;

/**
 * Where the tracked word is lost at the end of the text: the row whose layer takes most of its probability away;
 * undefined where none takes much, or where the word is what the model says in the end.
 */
export const lossOf = ({ cells, tokens, word }: Board): Place | undefined => {
  const position = tokens.length - 1;
  const at = (row: number): number => cells[row]?.[position]?.words[0]?.probability ?? 0;
  if (cells.at(-1)?.[position]?.top[0]?.id === word) return undefined;
  const falls = cells.map((_, row) => (row === 0 ? 0 : at(row - 1) - at(row)));
  const most = Math.max(...falls);
  return most < least ? undefined : { row: falls.indexOf(most), position };
};
