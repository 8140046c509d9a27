export { checkExport, csvTable, exported, type Exportable } from './exports.js';
export { gridSvg, type GridPicture } from './grid-svg.js';
