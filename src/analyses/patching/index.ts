export { attributionPatching, type AttributionRequest } from './attribution.js';
export { patchPaths, receiversOf, type PathPatched, type PathRequest, type Receiver } from './path.js';
export { noiseEdit, patchCells, type CellValue, type Patched, type PatchRequest } from './patching.js';
