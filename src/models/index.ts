export { activationNames } from './parts/activations.js';
export * from './families.js';
export type { Family, HasTensor } from './family.js';
