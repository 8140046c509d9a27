import type { ListResult } from '../protocol/index.js';
import { printable, visible } from './printable.js';
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

type Recording = NonNullable<ListResult['recording']>;

const tokensText = (tokens: Recording['tokens'], count: number): string =>
  tokens ? tokens.map((t) => visible(t.text)).join(styled('dim', '|')) : `${count} tokens, redacted`;

/** Steps in which a value is there, runs of them as 3..7. */
const stepsText = (steps: readonly number[]): string => {
  const runs: [number, number][] = [];
  for (const step of [...steps].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last && step <= last[1] + 1) last[1] = step;
    else runs.push([step, step]);
  }
  return runs.map(([from, to]) => (from === to ? String(from) : `${from}..${to}`)).join(', ');
};

/** A recording: the run, and the values that it has. */
const showRecording = (r: ListResult, recording: Recording): string => {
  const { date, verb, writer, tokens, target, promptLength, generated, made, stop, edits = [], steps } = recording;
  const rows = (r.sites ?? []).map((site) => [site.name, axesText(site), stepsText(steps[site.name] ?? [])]);
  const line = `recording of \`${verb}\`, ${printable(date)}, by ${printable(writer)}`;
  return [
    modelLine(r.model),
    recording.complete ? line : `${line}; not finished`,
    `prompt: ${tokensText(tokens, promptLength)}`,
    ...(target ? [`target: ${tokensText(target, target.length)}`] : []),
    ...(made > 0 ? [`generated: ${tokensText(generated, made)}${stop === 'none' ? '' : ` (${stop})`}`] : []),
    ...(edits.length > 0 ? [`edits\n${edits.map((edit) => `  ${printable(edit)}`).join('\n')}`] : []),
    rows.length > 0 ? table(['site', 'axes', 'steps'], rows) : 'no values were recorded',
  ].join('\n\n');
};

/** What a model has at a glance: its sites with the layers folded, and of its weights how many of which type. */
export const showOverview = (r: ListResult): string => {
  if (r.recording) return showRecording(r, r.recording);
  const dtypes = [...new Set((r.weights ?? []).map((w) => w.dtype))].join(' and ');
  return [
    modelLine(r.model),
    foldedText(r.sites ?? []),
    `${r.sites?.length ?? 0} sites (${layersText(r.model)}) and ${r.weights?.length ?? 0} tensors in ${dtypes}`,
    styled('dim', 'all of them, with their other names: --sites; the tensors: --weights; the computation: --listing'),
  ].join('\n\n');
};

/** What was asked for, in full. */
export const showList = (r: ListResult): string => {
  if (r.recording) return showRecording(r, r.recording);
  return [
    modelLine(r.model),
    ...(r.sites ? [sitesText(r.sites)] : []),
    ...(r.weights ? [weightsText(r.weights)] : []),
    ...(r.listing ? [r.listing.join('\n')] : []),
  ].join('\n\n');
};
