import type { AttributedRow, AttributeResult } from '../../protocol/index.js';
import { escapeXml, toCsv, type ExportFormat } from '../export.js';
import { diverging, isDark } from './diverging.js';

/** The largest size of a score of these rows, for the scale; 1 where all are 0. */
export const scaleOf = (rows: readonly AttributedRow[]): number =>
  rows.flatMap((row) => row.scores).reduce<number>((most, s) => Math.max(most, Math.abs(s ?? 0)), 0) || 1;

const csvOf = ({ units, rows }: AttributeResult): string =>
  toCsv([
    ['of', 'position', 'token', 'value', 'side', 'positions', 'unit', 'score', 'error'],
    ...rows.flatMap((row) =>
      units.map((unit, i) => [
        ...[row.of, row.position, row.token?.text, row.value],
        ...[unit.side, unit.positions.join(' '), unit.text, row.scores[i], row.errors?.[i]],
      ]),
    ),
  ]);

const shownText = (text: string): string => text.replaceAll('\n', '↵').replaceAll('\t', '→').replaceAll(' ', '·');

const font = 'font-family="ui-monospace, monospace"';
const text = ([x, y]: readonly [number, number], content: string, more = ''): string =>
  `<text x="${x}" y="${y}" font-size="12" ${font} ${more}>${escapeXml(content)}</text>`;

const columnWidth = 8;
const widthOf = (content: string): number => Array.from(content).length * columnWidth + 12;

/** One number: its tokens in a line that wraps, each on its colour. */
const lineOf = (result: AttributeResult, row: AttributedRow, scale: number): { body: string; height: number } => {
  let [x, y] = [10, 40];
  const parts = result.units.map((unit, i) => {
    const score = row.scores[i] ?? null;
    const content = shownText(unit.text);
    const width = widthOf(content);
    if (x + width > 790) [x, y] = [10, y + 26];
    const share = (score ?? 0) / scale;
    const fill = score === null ? '#ffffff' : diverging(share);
    const ink = score === null ? '#999999' : isDark(share) ? '#ffffff' : '#111111';
    const drawn = `<g><title>${escapeXml(`${unit.text}: ${score === null ? 'none' : score}`)}</title><rect x="${x}" y="${y - 15}" width="${width - 2}" height="22" rx="3" fill="${fill}"/>${text([x + 5, y], content, `fill="${ink}"`)}</g>`;
    x += width;
    return drawn;
  });
  return { body: parts.join('\n'), height: y + 20 };
};

/** Several numbers: a row each, a column a unit. */
const gridOf = (result: AttributeResult, scale: number): { body: string; height: number; width: number } => {
  const names = result.rows.map((row) => shownText(row.token?.text ?? row.of));
  const left = Math.max(...names.map(widthOf)) + 10;
  const top = Math.max(...result.units.map((u) => widthOf(shownText(u.text)))) * 0.8 + 30;
  const cell = 22;
  const heads = result.units.map((unit, i) => {
    const x = left + i * cell + cell / 2 + 4;
    return text([x, top - 6], shownText(unit.text), `transform="rotate(-60 ${x} ${top - 6})"`);
  });
  const rows = result.rows.flatMap((row, r) => [
    text([10, top + r * cell + 15], names[r] ?? ''),
    ...result.units.map((unit, i) => {
      const score = row.scores[i] ?? null;
      const fill = score === null ? '#ffffff' : diverging(score / scale);
      const told = `${row.token?.text ?? row.of} ← ${unit.text}: ${score === null ? 'none' : score}`;
      return `<rect x="${left + i * cell}" y="${top + r * cell}" width="${cell - 1}" height="${cell - 1}" fill="${fill}"><title>${escapeXml(told)}</title></rect>`;
    }),
  ]);
  const width = left + result.units.length * cell + 80;
  return { body: [...heads, ...rows].join('\n'), height: top + result.rows.length * cell + 10, width };
};

/** What the colours mean. */
const legendOf = (scale: number, y: number): string => {
  const steps = Array.from({ length: 41 }, (_, i) => -1 + i / 20);
  const bar = steps.map((s, i) => `<rect x="${10 + i * 4}" y="${y}" width="4" height="10" fill="${diverging(s)}"/>`);
  const told = scale.toPrecision(3);
  return [...bar, text([10, y + 24], `-${told} against`), text([150, y + 24], `${told} for`)].join('\n');
};

const svgOf = (result: AttributeResult): string => {
  const scale = scaleOf(result.rows);
  const [row] = result.rows;
  const drawn = result.rows.length === 1 && row ? { ...lineOf(result, row, scale), width: 800 } : gridOf(result, scale);
  const height = drawn.height + 40;
  const title = `${result.method} of ${result.rows.length === 1 ? (row?.of ?? '') : `${result.rows.length} tokens`}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${Math.ceil(drawn.width)}" height="${Math.ceil(height)}" viewBox="0 0 ${Math.ceil(drawn.width)} ${Math.ceil(height)}">
<rect width="100%" height="100%" fill="#ffffff"/>
${text([10, 18], title, 'font-weight="bold"')}
${drawn.body}
${legendOf(scale, drawn.height)}
</svg>
`;
};

/** A result as the content of a file. */
export const attributionFile = (result: AttributeResult, format: ExportFormat): string => {
  switch (format) {
    case 'json':
      return `${JSON.stringify(result, null, 2)}\n`;
    case 'csv':
      return csvOf(result);
    case 'svg':
      return svgOf(result);
  }
};
