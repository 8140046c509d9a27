import { createMemo } from 'solid-js';
import type { App } from '../../app.js';
import type { Palette, ScaleKind } from '../../look/color.js';
import { effectsOn } from '../patching/on-board.js';
import { patchingOf } from '../patching/patching.js';
import { differenceOf, endsOf, measures, wordlessMeasure, type Measure, type MeasureId } from './measures.js';

/** What the board is coloured by: a measure, the ends of its scale, and which scale of colours that is. */
export interface ShownMeasure {
  readonly measure: Measure;
  readonly ends: readonly [number, number];
  readonly scale: ScaleKind;
}

/** What was patched last, on the board; undefined where that was of another run, or is no grid of the board's. */
const makePatched = (app: App): ShownMeasure | undefined => {
  const [board, patching] = [app.results.board(), patchingOf(app)];
  const result = patching.isOfRun() ? patching.result() : undefined;
  const found = board && result && effectsOn(board, result);
  return found && { measure: { ...measures.effect, of: found.of }, ends: found.ends, scale: 'diverging' };
};

export const patchedOnBoard = (app: App): ShownMeasure | undefined =>
  app.kept('patched on the board', () => createMemo(() => makePatched(app)))();

/** The measure that is chosen, unless it needs words and the model gives labels. */
export const measureId = (app: Pick<App, 'view' | 'results'>): MeasureId => {
  const isOfLabels = app.results.compare()?.after.labels !== undefined;
  return isOfLabels && app.view.measure !== 'effect' ? wordlessMeasure(app.view.measure) : app.view.measure;
};

/** Of the run that is looked at, or of how two differ. Two runs have one scale unless that is switched off. */
export const shownMeasure = (app: App): ShownMeasure => {
  const [board, other] = [app.results.board(), app.results.otherBoard()];
  const id = measureId(app);
  if (!board) return { measure: measures[id], ends: [0, 1], scale: 'sequential' };
  if (id === 'effect') return patchedOnBoard(app) ?? { measure: measures[id], ends: [-1, 1], scale: 'diverging' };
  if (app.side() === 'difference') {
    const measure = differenceOf(id);
    return { measure, ends: endsOf(board, measure), scale: 'diverging' };
  }
  const both = other && app.view.oneScale ? { ...board, cells: [...board.cells, ...other.cells] } : board;
  return { measure: measures[id], ends: endsOf(both, measures[id]), scale: 'sequential' };
};

/** The colours of a scale in the place of the one that cells are drawn with. */
export const paletteFor = (palette: Palette, scale: ScaleKind): Palette => ({ ...palette, sequential: palette[scale] });
