export * from './gguf/index.js';
export * from './memory-weights.js';
export * from './pickle.js';
export * from './safetensors.js';
export * from './safetensors-write.js';
export { eosIds } from './specials.js';
export * from './tokenizer.js';
export * from './weights.js';
export { widen } from './widen.js';
