export { ggufTokenizerJson } from './gguf-tokenizer.js';
export type { GgufMetadata } from './metadata.js';
