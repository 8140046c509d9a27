export * from './index.js';
export { openGguf } from './open.node.js';
export { readGgufFile } from './source.node.js';
