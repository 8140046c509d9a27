export * from './edit-data.js';
export * from './edit-text.js';
export * from './edits.js';
export * from './experiment.js';
export * from './globs.js';
export * from './resolve.js';
export { formatSelector, formatWhere, parseSelector } from './selectors.js';
export type { Index, IndexRange, Selector, TokenIndex, Where } from './selectors.js';
export * from './sites.js';
