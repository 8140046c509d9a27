export * from './align-tokens.js';
export * from './brand.js';
export * from './errors.js';
export * from './nearest.js';
