export { checkExport, graphForms, tableExport, writeExport, type Exportable, type ExportForm } from './exports.js';
export { gridsSvg, scaleOf, type Grid, type GridPicture } from './grid-svg.js';
export { colourOf, escapeXml, inkOf, legendAt, noColour, shownText, svgDocument, textAt, tip, widthOf } from './svg.js';
export type { Table } from './table.js';
