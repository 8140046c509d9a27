export { BaseRun } from './base-run.js';
export { batchedEdits, firstRow, type Change, type ChangeTo } from './change.js';
export { feedsOf, SharedInputs, type FeedSources } from './feeds.js';
export { scoreAlone, scoresRows } from './head.js';
export { usualForm, type SweepModel } from './model.js';
export { openSweep, Sweep } from './sweep.js';
export {
  scoresRead,
  type Elsewhere,
  type OtherRun,
  type SweepPrompt,
  type SweepRequest,
  type SweepVariant,
  type Swept,
  type SweptRun,
} from './swept.js';
export { sweptAtOnce } from './limits.js';
