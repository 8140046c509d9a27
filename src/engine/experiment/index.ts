export { sequenceOf, type ExperimentContext, type Prompt, type RecordedValue } from './context.js';
export { prepareExperiment, type PreparedExperiment } from './experiment.js';
export { canonicalName, placedSites, unknownSite, type PlacedSite } from './sites.js';
export { sequenceAt, type Sequence } from './value-edits.js';
export { unknownWeight } from './weight-edits.js';
