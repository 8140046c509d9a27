export { evaluationLimits, type EvaluationLimits } from './budget.js';
export { evaluate, holds } from './evaluate.js';
export type * from './values.js';
