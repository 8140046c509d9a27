import { bug, nearest, UsageError } from '../../base/index.js';
import { extentsFor, siteBytes, type PlacedSite, type Prompt } from '../../engine/index.js';
import type { AttentionInput, AttentionKind } from '../../protocol/index.js';
import { pixelsAt } from '../../tensor/index.js';
import { formatBytes } from '../bytes.js';

/** Attention of one block at its place in the run. */
export interface Layer {
  readonly site: string;
  readonly block: string;
  readonly kind: AttentionKind;
  readonly places: readonly PlacedSite[];
}

const kindOf = (site: string): AttentionKind =>
  site.includes('.cross_attn.') ? 'cross' : site.startsWith('encoder.') ? 'encoder' : 'self';

/** All attention of a run, the lowest first, with the sites that a value of it is made of. */
export const layersOf = (places: readonly PlacedSite[], value: AttentionInput['value']): readonly Layer[] => {
  const byName = new Map(places.map((p) => [p.name, p]));
  return places
    .filter((p) => /\.(?:cross_)?attn\.pattern$/.test(p.name))
    .map((p) => {
      const base = p.name.slice(0, -'.pattern'.length);
      const wanted = value === 'scores' ? ['scores'] : value === 'weighted' ? ['v', 'pattern'] : ['pattern'];
      const own = wanted.map((name) => byName.get(`${base}.${name}`)).filter((place) => place !== undefined);
      if (own.length < wanted.length) throw bug(`${base} lacks one of ${wanted.join(', ')}`);
      return { site: p.name, block: base.replace(/\.(?:cross_)?attn$/, ''), kind: kindOf(p.name), places: own };
    });
};

export const invalid = (message: string, hint: string): UsageError =>
  new UsageError(message, { code: 'OPTION_INVALID', hint });

/** The layers that a request is about. @throws UsageError OPTION_INVALID */
export const chosenLayers = (
  all: readonly Layer[],
  { kind, show, heads, through, value }: AttentionInput,
): readonly Layer[] => {
  const layers = all.filter((l) => l.kind === kind);
  const blocks = layers.map((l) => l.block);
  if (layers.length === 0)
    throw invalid(
      `this model has no attention of the kind ${kind}`,
      `It has: ${[...new Set(all.map((l) => l.kind))].join(', ')}.`,
    );
  const unknown = [...heads.map((h) => h.block), ...(through === undefined ? [] : [through])].find(
    (b) => !blocks.includes(b),
  );
  if (unknown !== undefined)
    throw invalid(
      `there is no attention of the kind ${kind} in ${unknown}`,
      `Did you mean ${nearest(unknown, blocks)[0] ?? ''}?`,
    );
  switch (show) {
    case 'each':
      return layers;
    case 'mean':
      if (heads.length === 0) throw invalid('the mean of no head was asked for', 'Choose one head or more.');
      return layers.filter((l) => heads.some((h) => h.block === l.block));
    case 'rollout':
      if (kind === 'cross' || value !== 'pattern')
        throw invalid('rollout goes through the patterns of one stack', 'Choose self or encoder, and pattern.');
      return layers.slice(0, through === undefined ? layers.length : blocks.indexOf(through) + 1);
  }
};

/** The level at which an image is at most so large. */
export const levelFor = (queries: number, keys: number, size: number): number =>
  Math.max(0, Math.ceil(Math.log2(Math.max(queries, keys) / size)));

/** Bytes that come at once while one layer is reduced, and those that are held in the end. */
const predicted = (
  layers: readonly Layer[],
  input: AttentionInput,
  prompt: Prompt,
): { atOnce: number; held: number } => {
  const extents = extentsFor(1, prompt.ids.length, prompt.source?.ids.length);
  const each = layers.map(({ places }) =>
    places.reduce(
      (sum, p) => sum + (siteBytes(p.instance.segment.graph, [p.site.name], extents).get(p.site.name) ?? 0),
      0,
    ),
  );
  const [queries, keys] = extentsOf(input, prompt);
  const matrix = 4 * queries * keys;
  const level = levelFor(queries, keys, input.size);
  const picture = 4 * pixelsAt(queries, level) * pixelsAt(keys, level);
  const heads = layers.reduce((sum, { places }) => sum + headsIn(places), 0);
  return { atOnce: 2 * Math.max(0, ...each), held: input.show === 'each' ? heads * picture : 3 * matrix };
};

const headsIn = (places: readonly PlacedSite[]): number => {
  const type = places.at(-1)?.type;
  return Number(type?.shape[type.axes.indexOf('head')] ?? 0);
};

const extentsOf = ({ kind }: AttentionInput, prompt: Prompt): readonly [number, number] => {
  const [own, source] = [prompt.ids.length, prompt.source?.ids.length ?? 0];
  if (kind === 'encoder') return [source, source];
  return [own, kind === 'cross' ? source : own];
};

/** Stops before anything is computed where memory would not do. @returns the bytes that it will take @throws UsageError MEMORY_LIMIT */
export const checkMemory = (
  layers: readonly Layer[],
  input: AttentionInput,
  { prompt, limit }: { prompt: Prompt; limit: number },
): number => {
  const { atOnce, held } = predicted(layers, input, prompt);
  const bytes = atOnce + held;
  if (bytes <= limit) return bytes;
  throw new UsageError(
    `this attention would take ${formatBytes(bytes)}, more than the limit of ${formatBytes(limit)}`,
    {
      code: 'MEMORY_LIMIT',
      hint: 'Choose a shorter prompt, or smaller pictures.',
      details: { bytes, limit, atOnce, held },
    },
  );
};
