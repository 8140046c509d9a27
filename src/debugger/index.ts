export { Breakpoints, type Breakpoint, type Change, type Stopping, type Watched } from './breakpoints.js';
export type { ExceptionFilter } from './exceptions.js';
export { isBefore, type Granularity, type Position } from './position.js';
export { DebugSession, type Frame, type Stop } from './session.js';
export { makeSource, type OpLine, type Source } from './source.js';
export { Timeline, type Place, type TimelineRequest } from './timeline.js';
