import { UsageError } from '../../base/index.js';
import { checkWritable } from '../../formats/index.node.js';
import { writeFileWhole } from '../files.node.js';
import type { OperationContext } from '../operation.js';
import { gridSvg, type GridPicture } from './grid-svg.js';
import { pngOf } from './png.node.js';
import { csvTable, objectsOf, type Table } from './table.js';

/** The forms in which results are written to files, named by their ends. */
const forms = ['json', 'csv', 'svg', 'png', 'dot'] as const;
export type ExportForm = (typeof forms)[number];

/** A result in the forms that it has. Each is made only when it is asked for. */
export interface Exportable {
  /** What stands in JSON. */
  readonly json: () => unknown;
  readonly csv: () => Table;
  /** A picture; PNG is made from it. */
  readonly svg: () => string;
  /** A graph, for Graphviz. */
  readonly dot?: () => string;
}

/** Tables and pictures, which most results have. */
const usual: readonly ExportForm[] = ['json', 'csv', 'svg', 'png'];
/** Those, and graphs. */
export const graphForms: readonly ExportForm[] = forms;

/** @throws UsageError OPTION_INVALID */
const formOf = (file: string, among: readonly ExportForm[]): ExportForm => {
  const found = among.find((form) => file.toLowerCase().endsWith(`.${form}`));
  if (found) return found;
  const ends = among.map((form) => `.${form}`);
  throw new UsageError(`it is not clear what to write to ${file}: its name ends in no form`, {
    code: 'OPTION_INVALID',
    hint: `End the name with ${ends.slice(0, -1).join(', ')} or ${ends.at(-1) ?? ''}.`,
  });
};

/**
 * Sees, before any work, whether a result can be written to a file.
 * @throws UsageError OPTION_INVALID for an ending that is no form, OUT_UNWRITABLE
 */
export const checkExport = async (file: string | undefined, among: readonly ExportForm[] = usual): Promise<void> => {
  if (file === undefined) return;
  formOf(file, among);
  await checkWritable(file);
};

const contentOf = (form: ExportForm, result: Exportable, context: OperationContext) => {
  switch (form) {
    case 'json':
      return `${JSON.stringify(result.json())}\n`;
    case 'csv':
      return csvTable(result.csv());
    case 'svg':
      return result.svg();
    case 'png':
      return pngOf(result.svg(), (text) => context.note(text));
    case 'dot':
      return result.dot?.() ?? '';
  }
};

/** Writes a result where the user wants it, in the form that the file's ending names. @throws UsageError OUT_UNWRITABLE */
export const writeExport = async (
  file: string | undefined,
  result: Exportable,
  context: OperationContext,
): Promise<void> => {
  if (file === undefined) return;
  const form = formOf(file, result.dot ? graphForms : usual);
  await writeFileWhole(file, await contentOf(form, result, context));
  context.note(`wrote ${file}`);
};

/** A table with a picture of its numbers: in JSON an object a row. */
export const tableExport = (table: Table & { readonly grid: GridPicture }): Exportable => ({
  json: () => objectsOf(table),
  csv: () => table,
  svg: () => gridSvg(table.grid),
});
