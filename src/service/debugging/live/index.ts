export { AgentConnection } from './agent-connection.node.js';
export { LiveModel } from './live-model.js';
export { LiveTarget, type LiveOptions } from './live-target.js';
export { adviceOn } from './training.js';
