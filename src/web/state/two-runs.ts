import type { App } from '../app.js';
import { alignBoards } from './difference.js';
import type { Request } from './request.js';
import { turnedRequest } from './turned.js';

/** The second of two runs, and what stands for the token in focus there: undefined where nothing does, or it is not known yet. */
export interface PlaceInB {
  readonly b: Request;
  readonly position: number | undefined;
}

/** B, where how two runs differ is looked at; else undefined. */
export const runB = ({ side, results }: Pick<App, 'side' | 'results'>): Request | undefined => {
  const a = side() === 'difference' ? results.shown() : undefined;
  return a && turnedRequest(a);
};

/** The place in B that stands for the one in focus; undefined unless how two runs differ is looked at. */
export const placeInB = (app: Pick<App, 'side' | 'results' | 'focus'>): PlaceInB | undefined => {
  const b = runB(app);
  const [own, other, at] = [app.results.board(), app.results.otherBoard(), app.focus()];
  return b && { b, position: own && other && at ? alignBoards(own, other)[at.position] : undefined };
};
