import { UsageError } from '../../base/index.js';
import { checkWritable } from '../../formats/index.node.js';
import type { PatchGrid, PatchResult } from '../../protocol/index.js';
import { csvTable } from '../exports/index.js';
import { writeTextFile } from '../files.node.js';
import type { OperationContext } from '../operation.js';

const patchEndings = ['.json', '.csv', '.svg'] as const;
const endingOf = (file: string): string => /\.[a-z]+$/.exec(file.toLowerCase())?.[0] ?? '';

/** @throws UsageError OPTION_INVALID for a form that is not written, OUT_UNWRITABLE */
export const checkOut = async (out: string | undefined, endings: readonly string[] = patchEndings): Promise<void> => {
  if (out === undefined) return;
  if (!endings.includes(endingOf(out)))
    throw new UsageError(`it is not clear what to write to ${out}`, {
      code: 'OPTION_INVALID',
      hint: `End the name in ${endings.join(', ')}: all of it, a line a cell or an edge, or a picture.`,
    });
  await checkWritable(out);
};

const head = ['site', 'layer', 'column', 'position', 'head', 'neuron', 'raw', 'effect', 'low', 'high'];

/** A line a cell. */
const csvOf = ({ grids }: PatchResult): string =>
  csvTable(
    head,
    grids.flatMap((g) =>
      g.layers.flatMap((layer, l) =>
        g.columns.map((c, i) => {
          const numbers = [g.raw, g.effect, g.low, g.high].map((n) => n?.[l]?.[i] ?? '');
          return [g.site, layer, c.label, c.position ?? '', c.head ?? '', c.neuron ?? '', ...numbers];
        }),
      ),
    ),
  );

const xml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** From blue (below nothing) over white to red. `x`: from −1 to 1. */
const colour = (x: number): string => {
  const fade = Math.round(255 * (1 - Math.min(1, Math.abs(x))));
  return x >= 0 ? `rgb(255,${fade},${fade})` : `rgb(${fade},${fade},255)`;
};

const [cell, left, gap] = [22, 110, 90];

const svgGrid = (g: PatchGrid, top: number, most: number): string => {
  const label = ([x, y]: readonly [number, number], text: string, more = ''): string =>
    `<text x="${x}" y="${y}" ${more}>${xml(text)}</text>`;
  const cells = g.effect.flatMap((row, l) =>
    row.map((x, i) => {
      const title = `${g.layers[l] ?? ''} · ${g.columns[i]?.label ?? ''}: ${x === null ? 'none' : x.toFixed(4)}`;
      const fill = x === null ? '#ddd' : colour(x / most);
      return `<rect x="${left + i * cell}" y="${top + l * cell}" width="${cell}" height="${cell}" fill="${fill}" stroke="#ccc"><title>${xml(title)}</title></rect>`;
    }),
  );
  const rows = g.layers.map((layer, l) => label([left - 6, top + l * cell + 15], layer, 'text-anchor="end"'));
  const bottom = top + g.layers.length * cell;
  const columns = g.columns.map((c, i) => {
    const [x, y] = [left + i * cell + 14, bottom + 8];
    return label([x, y], c.label, `text-anchor="end" transform="rotate(-60 ${x} ${y})"`);
  });
  return [label([left, top - 8], g.site, 'font-weight="bold"'), ...cells, ...rows, ...columns].join('\n');
};

const svgOf = (result: PatchResult): string => {
  const { grids } = result;
  const all = grids.flatMap((g) => g.effect.flat().map((x) => Math.abs(x ?? 0)));
  const most = result.effect === 'share' ? Math.max(1, ...all) : Math.max(1e-12, ...all);
  let top = 60;
  const parts = grids.map((g) => {
    const part = svgGrid(g, top, most);
    top += g.layers.length * cell + gap + 30;
    return part;
  });
  const width = left + Math.max(...grids.map((g) => g.columns.length)) * cell + 40;
  const title = `${result.method}: ${result.metric}${result.method === 'attribution' ? ' (guessed)' : ''}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${Math.max(width, 420)}" height="${top}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="white"/>
<text x="10" y="22" font-size="14">${xml(title)}</text>
${parts.join('\n')}
</svg>
`;
};

/** Writes a result in the form that the file's name asks for. @throws UsageError OUT_UNWRITABLE */
export const writeOut = async (
  out: string | undefined,
  text: (ending: string) => string,
  context: OperationContext,
): Promise<void> => {
  if (out === undefined) return;
  await writeTextFile(out, text(endingOf(out)));
  context.note(`wrote ${out}`);
};

/** A result as the text of a file. */
export const patchText = (result: PatchResult, ending: string): string => {
  if (ending === '.csv') return csvOf(result);
  return ending === '.svg' ? svgOf(result) : `${JSON.stringify(result)}\n`;
};
