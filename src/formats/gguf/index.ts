export { ggmlLayouts, type GgmlType } from './ggml-types.js';
export type { GgufFile, GgufMetadata, GgufNumbers, GgufSource, GgufTensor, GgufValue } from './gguf.js';
export { memorySource, readGguf } from './read.js';
