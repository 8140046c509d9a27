export { erf } from './erf.js';
export type { Precision } from './kernel.js';
export { compute, kernels } from './kernels.js';
export { makeReference, type ReferenceOptions } from './reference.js';
