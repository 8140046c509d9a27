export * from './cache.js';
export * from './captured-bytes.js';
export * from './compiled.js';
export * from './forward.js';
export * from './generate.js';
export { makeInput, type Rows } from './inputs.js';
export * from './order.js';
