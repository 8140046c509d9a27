export { BaseRun, type SweepPrompt } from './base-run.js';
export { batchedEdits, firstRow, type Change, type ChangeTo } from './change.js';
export type { SweepModel } from './model.js';
export { Sweep, type SweepRequest, type SweptRun } from './sweep.js';
export type { SweepVariant } from './walk.js';
