export { boardRows, lensBoard, type BoardCell, type BoardRequest, type BoardRow } from './board.js';
export { lens, type LensRequest, type LensRow } from './lens.js';
export {
  divergence,
  measureScores,
  sumScores,
  type ScoreMeasures,
  type ScoreSums,
  type WordScore,
} from './measures.js';
