import type { Station } from '../../../debugger/index.js';
import type { RecordedSite, RecordingManifest, TargetAbout } from '../../../protocol/index.js';

/** A recording as something to walk along, and the text that it is shown as. */
export interface Stations {
  readonly stations: readonly Station[];
  readonly listing: TargetAbout['listing'];
}

/** Where a site is: `blocks.3` and in it `attn`; of a site outside of layers itself. */
const partsOf = (site: string): { readonly place: string; readonly layer?: number; readonly module: string } => {
  const [, place, layer] = /^((?:(?:encoder|decoder)\.)?blocks\.(\d+)(?:#\d+)?)\./.exec(site) ?? [];
  if (place === undefined) return { place: site.split('.')[0] ?? site, module: '' };
  const inner = site
    .slice(place.length + 1)
    .split('.')
    .slice(0, -1);
  return { place, layer: Number(layer), module: inner.join('.') };
};

const shapeText = ({ axes, shape }: RecordedSite): string =>
  `[${axes.map((axis, i) => `${axis} ${shape[i] ?? ''}`).join(', ')}]`;

const headOf = ({ model, sites }: RecordingManifest): string => {
  const { family, layers, heads, modelDim, vocab } = model.summary;
  const names = new Set(sites.map((s) => s.name)).size;
  return `${family}: ${layers} layers, ${heads} heads, model ${modelDim}, vocabulary ${vocab}; ${names} recorded sites`;
};

/** A line a site, in the order of the run, under the names of the parts; and the line of each. */
const listingOf = (
  manifest: RecordingManifest,
): { lines: TargetAbout['listing']; lineOf: ReadonlyMap<string, number> } => {
  const lines: TargetAbout['listing'] = [{ text: headOf(manifest), stops: false }];
  const lineOf = new Map<string, number>();
  let last = '';
  for (const site of manifest.sites) {
    if (lineOf.has(site.name)) continue;
    const { place } = partsOf(site.name);
    const isPart = place !== site.name;
    if (isPart && place !== last) lines.push({ text: `${place}:`, stops: false });
    last = place;
    const own = isPart ? `  ${site.name.slice(place.length + 1)}` : site.name;
    lines.push({ text: `${own.padEnd(40)}  ${shapeText(site)}`, stops: true });
    lineOf.set(site.name, lines.length);
  }
  return { lines, lineOf };
};

type Placed = Pick<Station, 'line' | 'place' | 'module' | 'site' | 'layer'>;

/** Stations of a step, counted by the parts that they are in. */
const counted = (step: number, places: readonly Placed[]): Station[] => {
  let [at, op] = [-1, 0];
  return places.map((placed, i) => {
    const isSame = places[i - 1]?.place === placed.place;
    [at, op] = isSame ? [at, op + 1] : [at + 1, 0];
    return { ...placed, position: { step, at, op } };
  });
};

/** The values of a recording, step by step; a step ends with what the model said next. */
export const stationsOf = (manifest: RecordingManifest): Stations => {
  const { lines, lineOf } = listingOf(manifest);
  const listing = [...lines, { text: 'the next token', stops: true }];
  const end: Placed = { line: listing.length, place: 'next', module: '' };
  const steps = new Set([...manifest.steps, ...manifest.sites].map(({ step }) => step));
  const stations = [...steps]
    .sort((a, b) => a - b)
    .flatMap((step) => {
      const sites = manifest.sites.filter((s) => s.step === step);
      const places = sites.map(({ name }) => ({ ...partsOf(name), site: name, line: lineOf.get(name) ?? 1 }));
      return counted(step, [...places, end]);
    });
  return { stations, listing };
};
