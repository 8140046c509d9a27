export { BaseRun, type SweepPrompt } from './base-run.js';
export { batchedEdits, firstRow, type Change, type ChangeTo } from './change.js';
export { feedsOf, SharedInputs, type FeedSources } from './feeds.js';
export { scoreAlone, scoresRows } from './head.js';
export { usualForm, type SweepModel } from './model.js';
export { Sweep, type SweepRequest, type SweptRun } from './sweep.js';
export type { SweepVariant } from './walk.js';
