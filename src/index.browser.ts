/** Cutaway as a library in a browser: `index.ts` without what needs Node, and the parts to open a model with. */
export * from './base/index.js';
export * from './engine/index.js';
export * from './engine/onnxruntime/index.browser.js';
export { encodeSafetensors, makeMemoryWeights, type MemoryFile, type Weights } from './formats/index.js';
export { listingOf, formatListing, toOnnx, wholeGraph, type Graph, type Program } from './graph/index.js';
export * from './language/index.js';
export * from './models/index.js';
export * from './tensor/index.js';
