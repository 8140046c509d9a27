export { HeadMean, meanOf, Rollout } from './combine.js';
export { hide, type Hidden } from './hide.js';
export { headsOf, valueNorms, weighted, type Heads } from './weigh.js';
