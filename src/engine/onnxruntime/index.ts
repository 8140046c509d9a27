export { onnxruntimeBackend, type OnnxruntimeBackend } from './onnxruntime.js';
export type { Binding, Device, OnnxruntimeOptions } from './options.js';
export type { Ort } from './ort.js';
