export * from './cache.js';
export * from './captured-bytes.js';
export * from './compiled.js';
export * from './forward.js';
export * from './generate.js';
export { makeInput } from './inputs.js';
export * from './order.js';
export { isDoubled, makeRows, type Rows } from './rows.js';
export { scoreRows } from './score-rows.js';
