export { hotFlip, type Flip, type HotFlipOptions, type HotFlipResult } from './hot-flip.js';
export { inputReduction, type InputReductionOptions, type InputReductionResult } from './input-reduction.js';
export type { Judged, TokenRows, Victim } from './model.js';
