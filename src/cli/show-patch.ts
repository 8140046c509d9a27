import type { PatchGrid, PatchResult } from '../protocol/index.js';
import { printable, visible } from './printable.js';
import { modelLine } from './show.js';
import { styled } from './styled.js';
import { columns, table } from './table.js';

const number = (x: number | null | undefined): string => (x === null || x === undefined ? '–' : x.toFixed(3));

const shades = ['  ', '░░', '▒▒', '▓▓', '██'];

/** A cell of two characters: how far an effect is from nothing, in the colour of its sign. */
const cell = (x: number | null, most: number): string => {
  if (x === null) return styled('dim', '··');
  const shade = shades[Math.min(shades.length - 1, Math.round((Math.abs(x) / most) * (shades.length - 1)))] ?? '';
  return x < 0 ? styled('red', shade.trim() === '' ? shade : `${shade.slice(0, 1)}−`) : styled('cyan', shade);
};

/** How many columns a heatmap may have before only the table below tells of it. */
const widest = 64;

const short = (text: string, width: number): string => {
  const shown = visible(text);
  return columns(shown) <= width
    ? shown
    : `${Array.from(shown)
        .slice(0, width - 1)
        .join('')}…`;
};

/** What each column is, below the map: numbered, two to a cell. */
const legend = (g: PatchGrid, width: number): string[] => {
  const names = g.columns.map((c) =>
    String(c.position ?? c.head ?? c.neuron ?? '')
      .padStart(2)
      .slice(-2),
  );
  const line = `  ${' '.repeat(width)} ${names.join('')}`;
  const words = g.columns.filter((c) => c.position !== undefined && c.head === undefined);
  return words.length === 0
    ? [line]
    : [line, `  ${' '.repeat(width)} ${words.map((c) => short(c.label, 18)).join('  ')}`];
};

const heatmap = (g: PatchGrid, most: number): string[] => {
  if (g.columns.length > widest || g.columns.length < 2) return [];
  const width = Math.max(...g.layers.map(columns));
  const rows = g.layers.map((layer, l) => {
    const label = layer.padStart(width);
    return `  ${label} ${(g.effect[l] ?? []).map((x) => cell(x, most)).join('')}`;
  });
  return [...rows, ...legend(g, width)];
};

interface Place {
  readonly grid: PatchGrid;
  readonly layer: number;
  readonly column: number;
}

const effectAt = ({ grid, layer, column }: Place): number => grid.effect[layer]?.[column] ?? 0;

/** The cells of all grids that matter most. */
const strongest = (r: PatchResult, count: number): string => {
  const places = r.grids.flatMap((grid) =>
    grid.layers.flatMap((_, layer) => grid.columns.map((__, column): Place => ({ grid, layer, column }))),
  );
  const known = places.filter(({ grid, layer, column }) => grid.effect[layer]?.[column] !== null);
  const sorted = known.sort((a, b) => Math.abs(effectAt(b)) - Math.abs(effectAt(a))).slice(0, count);
  const bounds = r.pairs > 1;
  const rows = sorted.map((place) => {
    const { grid, layer, column } = place;
    const range = [grid.low, grid.high].map((n) => number(n?.[layer]?.[column])).join(' to ');
    const own = [number(grid.raw[layer]?.[column]), number(effectAt(place)), ...(bounds ? [range] : [])];
    return [grid.site, grid.layers[layer] ?? '', short(grid.columns[column]?.label ?? '', 30), ...own];
  });
  const head = [
    'site',
    'layer',
    'at',
    'metric',
    r.effect === 'share' ? 'share' : 'change',
    ...(bounds ? ['95 %'] : []),
  ];
  return table(head, rows, { right: [3, 4, 5] });
};

const methods: Readonly<Record<PatchResult['method'], string>> = {
  patch: 'patched with the values of the other run',
  noise: 'clean values put back into a run whose embedding is noised',
  zero: 'set to zero',
  mean: 'set to their mean',
  resample: 'set to what they are in other prompts',
  path: 'patched with what of the other run goes straight to the receivers',
  attribution: 'guessed by gradients: not measured',
};

const summary = (r: PatchResult): string => {
  const direction =
    r.direction === undefined ? '' : r.direction === 'denoise' ? ' (clean into corrupted)' : ' (corrupted into clean)';
  const known = r.known > 0 ? `, ${r.known} known from before` : '';
  const ends =
    r.effect === 'share'
      ? `clean ${number(r.clean)}, corrupted ${number(r.corrupted)}`
      : `unchanged ${number(r.clean)}`;
  const own = r.metrics ? ', each by its own metric' : '';
  const pairs = r.pairs > 1 ? ` (means of ${r.pairs} pairs${own})` : '';
  return [
    `${methods[r.method]}${direction}${r.sigma === undefined ? '' : `, σ ${number(r.sigma)}`}`,
    `${printable(r.metric)}${r.metrics ? ' …' : ''}: ${ends}${pairs}`,
    `${r.runs} runs in ${r.seconds.toFixed(2)} s${known}`,
    ...(r.guess ? [`of the guesses ${r.guess.checked} were measured: correlation ${number(r.guess.correlation)}`] : []),
    ...(r.notes ?? []).map((note) => `note: ${printable(note)}`),
  ].join('\n');
};

/** What the shades and the numbers mean. */
const key = (r: PatchResult, most: number): string =>
  r.effect === 'share'
    ? `share: 0 is the corrupted run, 1 the clean one; ██ is ${number(most)}, a cell with − is below 0`
    : `change: the metric less that without the change; ██ is ${number(most)}, a cell with − is below 0`;

/** Heatmaps, a row a layer, and the cells that matter most. */
export const showPatch = (r: PatchResult): string => {
  const most = Math.max(
    r.effect === 'share' ? 1 : 1e-12,
    ...r.grids.flatMap((g) => g.effect.flat().map((x) => Math.abs(x ?? 0))),
  );
  const maps = r.grids.flatMap((g) => {
    const map = heatmap(g, most);
    return map.length === 0 ? [] : [[styled('bold', g.site), ...map].join('\n')];
  });
  const keys = maps.length === 0 ? [] : [styled('dim', key(r, most))];
  return [modelLine(r.model), summary(r), ...maps, ...keys, strongest(r, 12)].join('\n\n');
};
