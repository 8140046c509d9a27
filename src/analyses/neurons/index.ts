export { NeuronTally, type ActiveToken, type LayerReport, type NeuronStatistics, type TokenPlace } from './tally.js';
