export * from './additions.js';
export * from './bind.js';
export * from './cut.js';
export * from './edit.js';
export * from './link.js';
export * from './prune.js';
export * from './tap.js';
