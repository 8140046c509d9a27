export { evaluationLimits, type EvaluationLimits } from './budget.js';
export { checkDifferentiable, differentiate, type Differentiated } from './differentiate.js';
export { evaluate, holds, numberOf } from './evaluate.js';
export { lowerExpression, type Lowered, type LoweringOptions } from './lower.js';
export type * from './values.js';
