export { arbitraryGraph, type GraphCase } from './arbitrary-graph.js';
export { difference } from './difference.js';
export { graphOf, operatorCases, type OperatorCase } from './operator-cases.js';
export { poolFile, pooledWeights, type PooledWeight } from './pooled-weights.js';
export { slopeOf, wayBackOf, type Slope } from './slope.js';
