import { UsageError } from '../base/index.js';
import { checkWritable } from '../formats/index.node.js';
import { writeTextFile } from './files.node.js';
import type { OperationContext } from './operation.js';

/** The forms in which results are written to files. */
export const exportFormats = ['json', 'csv', 'svg'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** The form that a file's name asks for. @throws UsageError OPTION_INVALID */
const formatOf = (file: string): ExportFormat => {
  const found = exportFormats.find((format) => file.toLowerCase().endsWith(`.${format}`));
  if (found) return found;
  throw new UsageError(`${file} does not say in which form to write the result`, {
    code: 'OPTION_INVALID',
    hint: `End the name with ${exportFormats.map((f) => `.${f}`).join(', ')}.`,
  });
};

/** What can be known to be wrong with a file before anything is run. @throws UsageError OPTION_INVALID, OUT_UNWRITABLE */
export const checkExport = async (file: string | undefined): Promise<void> => {
  if (file === undefined) return;
  formatOf(file);
  await checkWritable(file);
};

/** Writes a result, if it is to be. */
export const writeExport = async (
  file: string | undefined,
  contentOf: (format: ExportFormat) => string,
  context: OperationContext,
): Promise<void> => {
  if (file === undefined) return;
  await writeTextFile(file, contentOf(formatOf(file)));
  context.note(`wrote ${file}`);
};

const cell = (value: string | number | null | undefined): string => {
  const text = value === null || value === undefined ? '' : String(value);
  const guarded = /^[=+@\t\r]/.test(text) && typeof value === 'string' ? `'${text}` : text; // no formula in a spreadsheet
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
};

/** Rows as CSV. @source RFC 4180 */
export const toCsv = (rows: readonly (readonly (string | number | null | undefined)[])[]): string =>
  `${rows.map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;

/** A text inside SVG. */
export const escapeXml = (text: string): string =>
  text
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '\ufffd') // XML has no such characters
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
