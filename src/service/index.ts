export { configOf, contextFor, editsOf } from './experiment.js';
export { promptOfIds, promptOfText } from './prompts.js';
export { formatBytes } from './bytes.js';
export { inspect } from './operations/inspect.js';
export { list } from './operations/list.js';
export { run } from './operations/run.js';
export { tokenize } from './operations/tokenize.js';
export type { Operation, OperationContext } from './operation.js';
export { openModel, type OpenModel, type OpenOptions } from './open-model.js';
