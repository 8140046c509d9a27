export { Adapter } from './adapter.js';
export { Deframer, frame, limits, type Received } from './framing.js';
export { converse, servePort, serveStdio } from './serve.js';
export type { OpenTarget } from './opener.js';
export { openKept } from './open-kept.js';
