export { makeSource, type OpLine, type Source } from './source.js';
export { Timeline, type Place, type TimelineRequest } from './timeline.js';
