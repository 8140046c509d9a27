export { directEffects } from './direct-effect.js';
export { mixed, outputMatrix, outputRow, type OutputMatrix } from './output-rows.js';
