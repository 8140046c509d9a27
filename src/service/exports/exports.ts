import { UsageError } from '../../base/index.js';
import { checkWritable } from '../../formats/index.node.js';
import { writeTextFile } from '../files.node.js';
import type { OperationContext } from '../operation.js';
import { gridSvg, type GridPicture } from './grid-svg.js';

/** A result as a table, and as a picture. */
export interface Exportable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  readonly grid: GridPicture;
}

/** A cell as RFC 4180 has it. */
const csvCell = (value: string | number): string => {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** A table as CSV, its head first. */
export const csvTable = (columns: readonly string[], rows: Exportable['rows']): string =>
  `${[columns, ...rows].map((row) => row.map(csvCell).join(',')).join('\r\n')}\r\n`;

const forms: Readonly<Record<string, (table: Exportable) => string>> = {
  csv: ({ columns, rows }) => csvTable(columns, rows),
  json: ({ columns, rows }) =>
    `${JSON.stringify(rows.map((row) => Object.fromEntries(columns.map((c, i) => [c, row[i] ?? null]))))}\n`,
  svg: ({ grid }) => gridSvg(grid),
};

const formOf = (file: string): ((table: Exportable) => string) => {
  const ending = /\.(\w+)$/.exec(file)?.[1]?.toLowerCase() ?? '';
  const form = Object.hasOwn(forms, ending) ? forms[ending] : undefined;
  if (form) return form;
  throw new UsageError(`${file} has no ending that says how it is written`, {
    code: 'OPTION_INVALID',
    hint: 'Give a name that ends in .csv, .json or .svg.',
  });
};

/** Writes a result where the user wants it, in the form that the file's ending names. @throws UsageError OPTION_INVALID, OUT_UNWRITABLE */
export const exported = async (file: string, table: Exportable, context: OperationContext): Promise<void> => {
  await writeTextFile(file, formOf(file)(table));
  context.note(`wrote ${file}`);
};

/**
 * Sees, before any work, whether a result can be written to a file.
 * @throws UsageError OPTION_INVALID for an ending that is no form, OUT_UNWRITABLE
 */
export const checkExport = async (file: string | undefined): Promise<void> => {
  if (file === undefined) return;
  formOf(file);
  await checkWritable(file);
};
