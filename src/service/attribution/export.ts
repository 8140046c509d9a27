import type { AttributedRow, AttributeResult } from '../../protocol/index.js';
import {
  colourOf,
  gridsSvg,
  inkOf,
  legendAt,
  noColour,
  scaleOf,
  shownText,
  svgDocument,
  textAt,
  tip,
  widthOf,
  type Exportable,
  type Table,
} from '../exports/index.js';

const tableOf = ({ units, rows }: AttributeResult): Table => ({
  columns: ['of', 'position', 'token', 'value', 'side', 'positions', 'unit', 'score', 'error'],
  rows: rows.flatMap((row) =>
    units.map((unit, i) => [
      ...[row.of, row.position, row.token?.text, row.value],
      ...[unit.side, unit.positions.join(' '), unit.text, row.scores[i], row.errors?.[i]],
    ]),
  ),
});

/** One number: its tokens in a line that wraps, each on its colour. */
const lineSvg = (result: AttributeResult, row: AttributedRow, title: string): string => {
  const scale = scaleOf([{ values: [row.scores] }]);
  let [x, y] = [10, 50];
  const parts = result.units.map((unit, i) => {
    const score = row.scores[i] ?? null;
    const content = shownText(unit.text);
    const width = widthOf(content) + 12;
    if (x > 10 && x + width > 790) [x, y] = [10, y + 28];
    const share = (score ?? 0) / scale;
    const box = `<rect x="${x}" y="${y - 16}" width="${width - 2}" height="23" rx="3" fill="${score === null ? noColour : colourOf(share)}"/>`;
    const ink = `fill="${score === null ? '#666666' : inkOf(share)}" font-size="12" font-family="monospace"`;
    const drawn = `<g>${tip(`${unit.text}: ${score ?? 'none'}`)}${box}${textAt([x + 5, y], content, ink)}</g>`;
    x += width;
    return drawn;
  });
  const body = [...parts, legendAt(y + 24, scale)].join('\n');
  return svgDocument({ body, width: 800, height: y + 60 }, title);
};

/** Several numbers: a row each, a column a unit. */
const matrixSvg = ({ units, rows }: AttributeResult, title: string): string =>
  gridsSvg(title, [
    {
      rows: rows.map((row) => shownText(row.token?.text ?? row.of)),
      columns: units.map((unit) => shownText(unit.text)),
      values: rows.map((row) => row.scores),
      told: (row, column, value) => `${row} ← ${column}: ${value ?? 'none'}`,
    },
  ]);

const svgOf = (result: AttributeResult): string => {
  const { rows, method } = result;
  const [row] = rows;
  if (rows.length === 1 && row) return lineSvg(result, row, `${method} of ${row.of}`);
  return matrixSvg(result, `${method} of ${rows.length} tokens`);
};

/** A result in the forms in which it is written. */
export const attributionExport = (result: AttributeResult): Exportable => ({
  json: () => result,
  csv: () => tableOf(result),
  svg: () => svgOf(result),
});
