import type { App } from '../app.js';
import { rowName } from '../look/names.js';
import { compact, percent } from '../look/numbers.js';
import { visible } from '../look/token-text.js';
import type { Board } from '../state/board.js';

/** A cell of the board in words and exact numbers. */
export const cellText = (app: App, board: Board, { row, position }: { row: number; position: number }): string => {
  const t = app.t().status;
  const [cell, tracked] = [board.cells[row]?.[position], app.results.word()];
  const where = t.at(rowName(board.rows[row] ?? ''), position, visible(board.tokens[position]?.text ?? ''));
  if (!cell) return where;
  const [word, top] = [cell.words[0], cell.top[0]];
  return [
    where,
    ...(tracked && word ? [t.word(visible(tracked.text), percent(word.probability), word.rank)] : []),
    ...(top ? [t.says(visible(top.text), percent(top.probability))] : []),
    t.entropy(compact(cell.entropy)),
    t.norm(compact(cell.norm)),
    ...(cell.change === null ? [] : [t.change(compact(cell.change))]),
    ...(cell.versus ? [t.kl(compact(cell.versus.kl))] : []),
    ...(cell.broken > 0 ? [t.broken(cell.broken)] : []),
  ].join('  ·  ');
};
