export {
  compositions,
  compositionScores,
  headCores,
  sideBySide,
  transposed,
  type Composition,
  type HeadCores,
  type HeadMatrices,
  type Matrix,
} from './composition.js';
export { copyingScore, eigenvalues, type Complex, type Square } from './eigenvalues.js';
export { splitScore, type SplitScore } from './split-score.js';
export { PairCollector, type Pair } from './pairs.js';
