export * from './half.js';
export * from './slice.js';
export * from './statistics.js';
export * from './tensor.js';
