export { checkSampling, isGreedy, type SamplingOptions } from './options.js';
export { uniform, type Draw } from './rng.js';
export { sample, stages, type Sampled, type SamplingPlace, type SamplingStage } from './sampling.js';
export { largest, likeliest, probabilities, topTokens, weight, type TopToken } from './top-tokens.js';
