export type { ExperimentContext, Prompt } from './context.js';
export { prepareExperiment, type PreparedExperiment } from './experiment.js';
export { canonicalName, placedSites, unknownSite, type PlacedSite } from './sites.js';
export type { Sequence } from './value-edits.js';
