export { findCircuit, type Circuit, type CircuitEdge, type CircuitPair, type CircuitRequest } from './circuit.js';
export { CircuitRuns } from './circuit-runs.js';
export {
  connected,
  readerName,
  senderName,
  wiringOf,
  type Edge,
  type Reader,
  type Sender,
  type Wiring,
} from './edges.js';
export { edgeScores } from './scores.js';
