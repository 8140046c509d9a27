import type { App } from '../../app.js';
import type { Place } from './layout.js';
import { lossOf } from './loss.js';

/** Is this the prompt of the first minute, not changed yet? */
export const isTour = ({ session, results }: Pick<App, 'session' | 'results'>): boolean => {
  const { tour, state } = session.store;
  const request = results.shown();
  if (state?.beside || state?.ids || state?.chat) return false;
  return tour !== undefined && state?.prompt === tour.prompt && request?.edits.length === 0;
};

/** The cell to click: where the word is lost, before anybody has looked there. */
export const markOf = (app: Pick<App, 'session' | 'results'>): Place | undefined => {
  const { tour, focus } = app.session.store;
  const board = app.results.board();
  if (!board || board.request.edits.length > 0) return undefined;
  if (!isTour(app) || !tour) return undefined;
  const known = board.rows.indexOf(`blocks.${tour.layer}`);
  const place = known < 0 ? lossOf(board) : { row: known, position: board.tokens.length - 1 };
  const isFound = focus?.position === place?.position && focus?.after === board.rows[place?.row ?? -1];
  return isFound ? undefined : place;
};
