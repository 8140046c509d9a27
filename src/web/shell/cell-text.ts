import type { App } from '../app.js';
import { rowName } from '../look/names.js';
import { compact, percent } from '../look/numbers.js';
import { visible } from '../look/token-text.js';
import type { LensCell } from '../../protocol/index.js';
import { differenceOf, measures } from '../panels/board/measures.js';
import { measureId, shownMeasure } from '../panels/board/shown-measure.js';
import type { Board } from '../state/board.js';

/** How B's cell differs from A's in what the board is coloured by. */
const differenceText = (app: App, cell: LensCell): string => {
  const id = measureId(app);
  const x = differenceOf(id).of(cell);
  const { of, show } = measures[id];
  const { beside, board } = app.t();
  const name = board.measures[id];
  if (x === null || x === undefined) return name;
  const a = of(cell) ?? 0;
  return `${name}: ${beside.a} ${show(a)}, ${beside.b} ${show(a + x)}`;
};

/** How far a cell is from the run without edits: in what is said there, or where nothing is, in the stream. */
const versusText = (app: App, { kl, distance }: NonNullable<LensCell['versus']>): string =>
  kl === null ? `${app.t().board.measures.distance} ${compact(distance)}` : app.t().status.kl(compact(kl));

/** A cell of the board in words and exact numbers. */
export const cellText = (app: App, board: Board, { row, position }: { row: number; position: number }): string => {
  const t = app.t().status;
  const [cell, tracked] = [board.cells[row]?.[position], app.results.word()];
  const where = t.at(rowName(board.rows[row] ?? ''), position, visible(board.tokens[position]?.text ?? ''));
  if (!cell) return where;
  if (app.side() === 'difference') return `${where}  ·  ${differenceText(app, cell)}`;
  const [word, top] = [cell.words[0], cell.top[0]];
  const effect = app.view.measure === 'effect' ? shownMeasure(app).measure.of(cell) : undefined;
  return [
    where,
    ...(typeof effect === 'number' ? [`${app.t().board.measures.effect} ${compact(effect)}`] : []),
    ...(tracked && word ? [t.word(visible(tracked.text), percent(word.probability), word.rank)] : []),
    ...(top ? [t.says(visible(top.text), percent(top.probability))] : []),
    ...(cell.entropy === null ? [] : [t.entropy(compact(cell.entropy))]),
    t.norm(compact(cell.norm)),
    ...(cell.change === null ? [] : [t.change(compact(cell.change))]),
    ...(cell.versus ? [versusText(app, cell.versus)] : []),
    ...(cell.broken > 0 ? [t.broken(cell.broken)] : []),
  ].join('  ·  ');
};
