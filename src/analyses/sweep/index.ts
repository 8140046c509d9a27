export { alignedValue, type Alignment } from './align.js';
export {
  gridsOf,
  kindOf,
  layerName,
  layerOf,
  rowsOf,
  shapeIn,
  type By,
  type Cell,
  type CellsRequest,
  type Grid,
} from './cells.js';
export type { Ledger } from './ledger.js';
export { metricOf, type Metric, type MetricRequest } from './metric.js';
export { bootstrap, correlation, mean, normalNumbers, randomNumbers } from './statistics.js';
