export { ggufTokenizerJson } from './gguf-tokenizer.js';
