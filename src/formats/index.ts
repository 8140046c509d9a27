export * from './pickle.js';
export * from './safetensors.js';
export * from './tokenizer.js';
export * from './weights.js';
