export { AgentConnection } from './agent-connection.node.js';
export { LiveModel } from './live-model.js';
