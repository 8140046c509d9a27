export * from './additions.js';
export * from './bind.js';
export * from './cut.js';
export { editSite, maskInput, operandInput, type ValueEdit } from './edit.js';
export * from './gradient.js';
export * from './link.js';
export * from './prune.js';
export { rewired } from './rewrite.js';
export * from './tap.js';
