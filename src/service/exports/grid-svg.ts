/** A picture of numbers by row and column: layers × heads. */
export interface GridPicture {
  readonly title: string;
  readonly cells: readonly { readonly row: string; readonly column: string; readonly value: number }[];
}

const size = 26;
const margin = { left: 90, top: 56 };

const escape = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (c) => `&#${c.codePointAt(0) ?? 0};`).replaceAll(/[\p{Cc}\p{Cs}]/gu, '\ufffd');

/** From blue (below 0) over white to red (above 0), as far as the largest number. Two hues that the colour-blind tell apart. */
const colourOf = (share: number): string => {
  const [r, g, b] = share < 0 ? [33, 102, 172] : [178, 24, 43];
  const mix = (c: number): number => Math.round(255 + (c - 255) * Math.min(1, Math.abs(share)));
  return `rgb(${mix(r)},${mix(g)},${mix(b)})`;
};

const label = (x: number, y: number, { text, anchor }: { readonly text: string; readonly anchor: string }): string =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}">${escape(text)}</text>`;

/** The picture as an SVG document, each cell with its number as a tooltip. */
export const gridSvg = ({ title, cells }: GridPicture): string => {
  const [rows, columns] = [[...new Set(cells.map((c) => c.row))], [...new Set(cells.map((c) => c.column))]];
  const largest = cells.reduce((most, { value }) => Math.max(most, Math.abs(value)), 0) || 1;
  const [width, height] = [margin.left + columns.length * size + 20, margin.top + rows.length * size + 20];
  const boxes = cells.map(({ row, column, value }) => {
    const [x, y] = [margin.left + columns.indexOf(column) * size, margin.top + rows.indexOf(row) * size];
    const tip = `<title>${escape(`${row}.${column}: ${value.toPrecision(4)}`)}</title>`;
    return `<rect x="${x}" y="${y}" width="${size - 1}" height="${size - 1}" fill="${colourOf(value / largest)}" stroke="#ccc" stroke-width="0.5">${tip}</rect>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    label(10, 20, { text: `${title} (largest ${largest.toPrecision(3)})`, anchor: 'start' }),
    ...columns.map((c, i) => label(margin.left + (i + 0.5) * size, margin.top - 8, { text: c, anchor: 'middle' })),
    ...rows.map((r, i) => label(margin.left - 8, margin.top + (i + 0.65) * size, { text: r, anchor: 'end' })),
    ...boxes,
    '</svg>',
    '',
  ].join('\n');
};
