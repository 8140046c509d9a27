export * from './index.js';
export * from './fingerprint.node.js';
export * from './folder.node.js';
export { openWeights } from './weights.node.js';
