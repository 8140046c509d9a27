export * from './align-tokens.js';
export * from './brand.js';
export * from './color-scales.js';
export * from './errors.js';
export * from './nearest.js';
