import type { ListResult } from '../protocol/index.js';
import { printable } from './printable.js';
import { modelLine } from './show.js';
import { styled } from './styled.js';
import { table } from './table.js';

type Sites = NonNullable<ListResult['sites']>;
type Weights = NonNullable<ListResult['weights']>;

const axesText = ({ axes, shape }: Sites[number]): string =>
  axes.map((axis, i) => (typeof shape[i] === 'number' ? `${axis} ${shape[i]}` : axis)).join(', ');

const nameText = ({ name, onRequest }: Sites[number]): string =>
  onRequest ? `${name} ${styled('dim', '(on request)')}` : name;

const sitesText = (sites: Sites): string =>
  table(
    ['site', 'axes', 'also called'],
    sites.map((s) => [nameText(s), axesText(s), styled('dim', (s.aliases ?? []).join(', '))]),
  );

const weightsText = (weights: Weights): string =>
  table(
    ['weight', 'shape', 'stored as'],
    weights.map((w) => [printable(w.name), w.shape.join(' x '), w.dtype]),
  );

/** Sites with those of equal layers told once, as `blocks.L`. */
const foldedSites = (sites: Sites): Sites => {
  const folded = new Map<string, Sites[number]>();
  for (const site of sites) {
    const name = site.name.replace(/\bblocks\.\d+\./, 'blocks.L.');
    const key = `${name} ${axesText(site)}`;
    if (!folded.has(key)) folded.set(key, { ...site, name });
  }
  return [...folded.values()];
};

const foldedText = (sites: Sites): string =>
  table(
    ['site', 'axes'],
    foldedSites(sites).map((s) => [nameText(s), axesText(s)]),
  );

const layersText = ({ layers, encoderLayers }: ListResult['model']): string =>
  encoderLayers === undefined || encoderLayers === layers
    ? `L from 0 to ${layers - 1}`
    : `L from 0 to ${encoderLayers - 1} in the encoder, to ${layers - 1} in the decoder`;

/** What a model has at a glance: its sites with the layers folded, and of its weights how many of which type. */
export const showOverview = (r: ListResult): string => {
  const dtypes = [...new Set((r.weights ?? []).map((w) => w.dtype))].join(' and ');
  return [
    modelLine(r.model),
    foldedText(r.sites ?? []),
    `${r.sites?.length ?? 0} sites (${layersText(r.model)}) and ${r.weights?.length ?? 0} tensors in ${dtypes}`,
    styled('dim', 'all of them, with their other names: --sites; the tensors: --weights; the computation: --listing'),
  ].join('\n\n');
};

/** What was asked for, in full. */
export const showList = (r: ListResult): string =>
  [
    modelLine(r.model),
    ...(r.sites ? [sitesText(r.sites)] : []),
    ...(r.weights ? [weightsText(r.weights)] : []),
    ...(r.listing ? [r.listing.join('\n')] : []),
  ].join('\n\n');
