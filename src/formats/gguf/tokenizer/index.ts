export { ggufEndIds, ggufTokenizerJson } from './gguf-tokenizer.js';
