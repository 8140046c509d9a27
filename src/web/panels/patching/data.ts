import type { HostParams, PatchGrid, PatchResult } from '../../../protocol/index.js';
import { rowName } from '../../look/names.js';
import type { Matrix } from '../../look/matrix.js';
import type { Ends } from '../../look/matrix-image.js';
import { visible } from '../../look/token-text.js';
import type { TrialMethod, TrialSettings } from '../../state/trials.js';
import { cleanPositions } from '../trials/pair.js';

/** Sites that are offered by name; any other can be written. */
export const offeredSites = ['resid_pre', 'attn_out', 'mlp_out', 'z', 'q', 'k', 'v', 'pattern'] as const;

export const usualSites = 'resid_pre,attn_out,mlp_out';

/** A site of a result as it is offered: `attn.z` is `z`, `decoder.cross_attn.k` is `cross_attn.k`. */
export const offeredName = (site: string): string => /(?:cross_attn\.)?[^.]*$/.exec(site)?.[0] ?? site;

/** What a grid is called in the document: of two stacks with the stack's name, since both have sites of one name. */
export const gridId = ({ site }: Pick<PatchGrid, 'site'>): string =>
  `patch-grid-${/^(?:en|de)coder\./.test(site) ? site.replaceAll('.', '-') : offeredName(site)}`;

/** Names between commas that are not inside a selector's brackets. */
export const siteNames = (sites: string): readonly string[] =>
  sites
    .split(/,(?![^[]*\])/)
    .map((name) => name.trim())
    .filter((name) => name !== '');

const alone: readonly TrialMethod[] = ['zero', 'mean', 'noise'];

/** Methods that put one prompt's values into the other's run. */
export const needsCorrupt = ({ method = 'patch' }: TrialSettings): boolean => !alone.includes(method);
/** Methods of which either run can be the one that is changed. */
export const hasDirection = ({ method = 'patch' }: TrialSettings): boolean =>
  method === 'patch' || method === 'attribution' || method === 'path';

const cuts = {
  ...{ usual: undefined, position: ['position'], head: ['head'], neuron: ['neuron'] },
  ...{ 'head and position': ['position', 'head'], none: ['none'] },
} as const satisfies Record<NonNullable<TrialSettings['by']>, HostParams<'patch'>['by']>;

/** Positions where only such are written, else a text of the prompt. */
const subjectOf = (written: string): string | number[] =>
  /^[\d\s,]+$/.test(written) ? written.split(/[\s,]+/).flatMap((n) => (n === '' ? [] : [Number(n)])) : written;

/** What is asked besides the run, the prompts and the metric. */
export const askedOf = (
  settings: TrialSettings,
): Pick<HostParams<'patch'>, 'method' | 'direction' | 'sites' | 'by' | 'subject' | 'receivers'> => {
  const { method = 'patch', direction = 'denoise', sites = usualSites, by = 'usual' } = settings;
  const { subject = '', receivers = '' } = settings;
  const cut = cuts[by];
  return {
    ...{ method, sites: siteNames(sites).join(',') },
    ...(hasDirection(settings) ? { direction } : {}),
    ...(cut ? { by: [...cut] } : {}),
    ...(method === 'noise' && subject !== '' ? { subject: subjectOf(subject) } : {}),
    ...(method === 'path' && receivers !== '' ? { receivers } : {}),
  };
};

/** What a cell has where nothing happens: a share of 1 where the clean run is the one that is changed. */
export const neutralOf = ({ effect, direction }: Pick<PatchResult, 'effect' | 'direction'>): number =>
  effect === 'share' && direction === 'noise' ? 1 : 0;

/** The ends of the one scale of all grids, what changes nothing in the middle. Shares span at least 1. */
export const endsOf = (result: Pick<PatchResult, 'effect' | 'direction' | 'grids'>): Ends => {
  const middle = neutralOf(result);
  let most = result.effect === 'share' ? 1 : 0;
  for (const grid of result.grids)
    for (const row of grid.effect) for (const x of row) if (x !== null) most = Math.max(most, Math.abs(x - middle));
  return { from: middle - (most || 1), to: middle + (most || 1) };
};

/** A grid as a picture, the last layer on top. What has no value stays empty. */
export const matrixOf = ({ effect, columns }: PatchGrid): Matrix => {
  const rows = [...effect].reverse();
  return {
    ...{ rows: rows.length, columns: columns.length },
    data: Float32Array.from(rows.flatMap((row) => row.map((x) => x ?? -Infinity))),
  };
};

/** A row's name: `L3`, of an encoder `enc 3`. */
export const layerName = (layer: string): string =>
  layer.startsWith('encoder.') ? rowName(layer).replace('L', 'enc ') : rowName(layer);

type Column = PatchGrid['columns'][number];

/** The token of a column, which stands behind its number in the label. */
const tokenOf = ({ position, head, neuron, label }: Column): string => {
  const own = head === undefined ? (neuron === undefined ? '' : `neuron ${neuron} · `) : `head ${head} · `;
  return visible(label.slice(`${own}${position} `.length));
};

/** A column along the picture: its token, or the number of its head or neuron, or both. */
export const columnName = (column: Column): string => {
  const own = column.head ?? column.neuron;
  if (column.position === undefined) return own === undefined ? 'all' : String(own);
  return own === undefined ? tokenOf(column) : `${own}${tokenOf(column)}`;
};

/** The same in a line of text: `head 2 · 9 ·Mara`. */
const columnText = (column: Column): string => {
  if (column.position === undefined) return column.label;
  const own =
    column.head === undefined
      ? column.neuron === undefined
        ? []
        : [`neuron ${column.neuron}`]
      : [`head ${column.head}`];
  return [...own, `${column.position} ${tokenOf(column)}`].join(' at ');
};

/** A cell of one of the grids. */
export interface Place {
  readonly grid: PatchGrid;
  /** From the first layer. */
  readonly layer: number;
  readonly column: number;
}

export const effectAt = ({ grid, layer, column }: Place): number | null => grid.effect[layer]?.[column] ?? null;
export const rawAt = ({ grid, layer, column }: Place): number | null => grid.raw[layer]?.[column] ?? null;

/** `L3, 9 ·Mara` */
export const placeName = ({ grid, layer, column }: Place): string => {
  const at = grid.columns[column];
  return `${layerName(grid.layers[layer] ?? '')}, ${at ? columnText(at) : ''}`;
};

/**
 * For each position of the run that is changed the one of the clean prompt, which the board shows; undefined where they
 * are the same. A decoder begins alike in both runs, whatever its encoder reads.
 */
export const boardPositions = ({
  corruptTokens,
  tokens,
  direction,
  model,
}: Pick<PatchResult, 'corruptTokens' | 'tokens' | 'direction' | 'model'>):
  readonly (number | undefined)[] | undefined =>
  corruptTokens && direction === 'denoise' && model.encoderLayers === undefined
    ? cleanPositions(tokens, corruptTokens)
    : undefined;

/** The cells of all grids that are farthest from what changes nothing, the farthest first. */
export const strongestOf = (
  result: Pick<PatchResult, 'effect' | 'direction' | 'grids'>,
  most: number,
): readonly Place[] => {
  const middle = neutralOf(result);
  const far = (place: Place): number => Math.abs((effectAt(place) ?? middle) - middle);
  return result.grids
    .flatMap((grid) =>
      grid.layers.flatMap((_, layer) => grid.columns.map((__, column): Place => ({ grid, layer, column }))),
    )
    .filter((place) => effectAt(place) !== null)
    .sort((a, b) => far(b) - far(a))
    .slice(0, most);
};
