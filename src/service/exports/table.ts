export type Cell = string | number | null | undefined;

/** A result as rows of cells. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** A cell as RFC 4180 has it. A text that a spreadsheet would take for a formula gets `'` in front. */
const csvCell = (value: Cell): string => {
  const text = String(value ?? '');
  const guarded = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
};

/** A table as CSV, its head first. @source RFC 4180 */
export const csvTable = ({ columns, rows }: Table): string =>
  `${[columns, ...rows].map((row) => row.map(csvCell).join(',')).join('\r\n')}\r\n`;

/** A table as a list of objects, an object a row. */
export const objectsOf = ({ columns, rows }: Table): readonly Readonly<Record<string, string | number | null>>[] =>
  rows.map((row) => Object.fromEntries(columns.map((c, i) => [c, row[i] ?? null])));
