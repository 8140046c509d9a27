export { lens, type LensRequest, type LensRow } from './lens.js';
