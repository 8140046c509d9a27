export * from './inputs.js';
export * from './inspect.js';
export * from './list.js';
export * from './model.js';
export * from './run.js';
export * from './tokenize.js';
export * from './tour.js';
