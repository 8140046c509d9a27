export * from './check.js';
export * from './complete.js';
export * from './expression.js';
export * from './format.js';
export { expressionFunctions, type FunctionRow, type Reduction, type TokenFunction, type Word } from './functions.js';
export * from './parse.js';
