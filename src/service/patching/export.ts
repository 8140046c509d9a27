import type { PatchGrid, PatchResult } from '../../protocol/index.js';
import { gridsSvg, type Exportable, type Grid, type Table } from '../exports/index.js';

/** A line a cell. */
const tableOf = ({ grids }: PatchResult): Table => ({
  columns: ['site', 'layer', 'column', 'position', 'head', 'neuron', 'raw', 'effect', 'low', 'high'],
  rows: grids.flatMap((g) =>
    g.layers.flatMap((layer, l) =>
      g.columns.map((c, i) => {
        const numbers = [g.raw, g.effect, g.low, g.high].map((n) => n?.[l]?.[i]);
        return [g.site, layer, c.label, c.position, c.head, c.neuron, ...numbers];
      }),
    ),
  ),
});

const gridOf = (g: PatchGrid): Grid => ({
  ...{ title: g.site, rows: g.layers, columns: g.columns.map((c) => c.label), values: g.effect },
  told: (layer, column, x) => `${layer} · ${column}: ${x === null ? 'none' : x.toFixed(4)}`,
});

/** Shares on a scale to 1 at least, so that small ones look small. */
const svgOf = ({ grids, effect, method, metric }: PatchResult): string => {
  const all = grids.flatMap((g) => g.effect.flat().map((x) => Math.abs(x ?? 0)));
  const most = all.reduce((a, b) => Math.max(a, b), effect === 'share' ? 1 : 1e-12);
  return gridsSvg(`${method}: ${metric}${method === 'attribution' ? ' (guessed)' : ''}`, grids.map(gridOf), most);
};

/** A result in the forms in which it is written. */
export const patchExport = (result: PatchResult): Exportable => ({
  json: () => result,
  csv: () => tableOf(result),
  svg: () => svgOf(result),
});
