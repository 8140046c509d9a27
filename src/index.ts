/** Cutaway as a library: the operations of the command line, and the parts they are made of. */
export * from './base/index.js';
export * from './client/index.js';
export * from './engine/index.js';
export { listingOf, formatListing, toOnnx, wholeGraph, type Graph, type Program } from './graph/index.js';
export * from './language/index.js';
export * from './protocol/index.js';
export * from './service/index.js';
export * from './service/host/index.js';
export * from './tensor/index.js';
