export { attributionPatching, type AttributionRequest } from './attribution.js';
export { noiseEdit, patchCells, type CellValue, type Ledger, type Patched, type PatchRequest } from './patching.js';
