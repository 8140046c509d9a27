export * from './index.js';
export { readGgufFile } from './source.node.js';
