export { Breakpoints, parseHits, type Breakpoint, type Change, type Stopping, type Watched } from './breakpoints.js';
export type { ExceptionFilter } from './exceptions.js';
export { parsePlace, type PointPlace } from './point-place.js';
export { isBefore, type Granularity, type Position } from './position.js';
export { DebugSession, type Frame, type Stop } from './session.js';
export { makeSource, type OpLine, type Source } from './source.js';
export { Timeline, type Place, type TimelineRequest } from './timeline.js';
export { shownNumber, shownStatistics, shownTensor, shownType, type ShownStatistics } from './shown.js';
export type { Looked, MoveOptions, Target } from './target.js';
export {
  childrenOf,
  chunkSize,
  childAt,
  lengthOf,
  most,
  partOf,
  selectorOf,
  viewOf,
  type Child,
  type TensorView,
} from './value-tree.js';
export { Tape, type Station, type TapeStop } from './tape.js';
export { isBad, isValueKind, repetitionStop, valueTold } from './exceptions.js';
