export { AgentConnection } from './agent-connection.node.js';
export { LiveEdits, packed, patchAt, type AgentPatch } from './live-edits.js';
export { AgentTrees } from './live-expressions.js';
export { checkReadThere, type LiveSite } from './live-sites.js';
export { LiveModel } from './live-model.js';
export { LiveTarget, type LiveOptions } from './live-target.js';
export { adviceOn } from './training.js';
