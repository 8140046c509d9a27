export { boardRows, lensBoard, type BoardCell, type BoardRequest, type BoardRow } from './board.js';
export { lens, type LensRequest, type LensRow } from './lens.js';
export { divergence, measureScores, type ScoreMeasures, type WordScore } from './measures.js';
