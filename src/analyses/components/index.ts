export {
  biasContribution,
  contributionAt,
  dot,
  headContributionsAt,
  neuronContributionsAt,
  rowAt,
  type Sensed,
} from './parts.js';
