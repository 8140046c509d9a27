export * from './additions.js';
export * from './bind.js';
export * from './cut.js';
export { downstream, fromInput, isRowwise, type Downstream } from './downstream.js';
export { editSite, maskInput, operandInput, type ValueEdit } from './edit.js';
export * from './gradient.js';
export * from './link.js';
export * from './prune.js';
export * from './tap.js';
