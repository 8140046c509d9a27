export { gridsOf, kindOf, type By, type Cell, type CellsRequest, type Grid } from './cells.js';
export { metricOf, type Metric, type MetricRequest } from './metric.js';
