import { styled } from './styled.js';
import { columns } from './table.js';

/** A number at a row and a column. */
export interface GridCell {
  readonly row: string;
  readonly column: string;
  readonly value: number;
}

const shades = ['·', '░', '▒', '▓', '█'];

/** Six columns a number: a shade for its size, and its digits, red above 0 and blue below. */
const drawn = (value: number | undefined, largest: number): string => {
  if (value === undefined) return ' '.repeat(width);
  const shade = shades[Math.min(4, Math.round((4 * Math.abs(value)) / largest))] ?? '';
  const digits = Math.abs(value) >= 99.95 ? value.toFixed(0) : value.toFixed(Math.abs(value) >= 9.995 ? 1 : 2);
  const text = `${shade}${digits.replace('-', '−')}`.padStart(width);
  return shade === '·' ? styled('dim', text) : styled(value < 0 ? 'blue' : 'red', text);
};
const width = 7;

/** Layers as rows, heads as columns, each number with a shade. More than fit a line go into further rows of columns. */
export const gridHeatmap = (cells: readonly GridCell[], perLine = 16): string => {
  const rows = [...new Set(cells.map((c) => c.row))];
  const all = [...new Set(cells.map((c) => c.column))];
  const largest = cells.reduce((most, { value }) => Math.max(most, Math.abs(value)), 0) || 1;
  const at = new Map(cells.map((c) => [`${c.row} ${c.column}`, c.value]));
  const label = Math.max(...rows.map(columns), 2);
  const blocks = Array.from({ length: Math.ceil(all.length / perLine) }, (_, i) =>
    all.slice(i * perLine, (i + 1) * perLine),
  );
  return blocks
    .map((names) =>
      [
        `  ${' '.repeat(label)} ${names.map((n) => n.padStart(width)).join('')}`,
        ...rows.map(
          (row) => `  ${row.padStart(label)} ${names.map((n) => drawn(at.get(`${row} ${n}`), largest)).join('')}`,
        ),
      ].join('\n'),
    )
    .join('\n\n');
};
