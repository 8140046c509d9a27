export type { Backend, Executable, Tensors } from './backend.js';
export * from './experiment/index.js';
export * from './expressions/index.js';
export * from './gradient/index.js';
export * from './run/index.js';
export * from './sampling/index.js';
export * from './sweep/index.js';
