import { UsageError } from '../../base/index.js';
import {
  canonicalName,
  extentsFor,
  placedSites,
  unknownSite,
  type Instance,
  type PlacedSite,
  type Prompt,
} from '../../engine/index.js';
import { shapeOf, type Program } from '../../graph/index.js';
import { matches, parseGlobs } from '../../language/index.js';

/** Along what a site is cut into the parts that are changed one at a time. */
export type By = 'position' | 'head' | 'neuron';

/** A part of a site that is changed by itself. */
export interface Cell {
  readonly place: PlacedSite;
  /** Absolute indices along each axis, undefined: all. */
  readonly indices: readonly (readonly number[] | undefined)[];
  readonly position?: number;
  readonly head?: number;
  readonly neuron?: number;
}

/** All cells of one kind of site: those of its name in each layer. */
export interface Grid {
  /** The name behind the layer's, `attn.z`, or the whole name of a site outside of layers. */
  readonly kind: string;
  readonly by: readonly By[];
  readonly cells: readonly Cell[];
}

/** Which axis each way to cut goes along. */
const axesOf: Readonly<Record<By, readonly string[]>> = {
  position: ['position', 'query', 'source'],
  head: ['head', 'kvHead'],
  neuron: ['neuron', 'model', 'headDim'],
};

/** The layer that a site is of by its name, as `decoder.blocks.3#2`; outside of layers the part of the model. */
export const layerName = ({ name, instance }: PlacedSite): string =>
  instance.segment.kind === 'block' ? instance.name : (/^(?:\w+\.)?blocks\.\d+(?=\.)/.exec(name)?.[0] ?? instance.name);

/** The number of that layer. */
export const layerOf = (place: PlacedSite): number | undefined => {
  const [, number] = /blocks\.(\d+)$/.exec(layerName(place)) ?? [];
  return place.instance.segment.layer ?? (number === undefined ? undefined : Number(number));
};

/** `attn.z` of `decoder.blocks.3#2.attn.z`, with the stack where there is one: `decoder.attn.z`. */
export const kindOf = (place: PlacedSite): string => {
  const { name, instance } = place;
  if (layerOf(place) === undefined) return name;
  const inside = name.slice(layerName(place).length + 1);
  return instance.segment.stack === undefined ? inside : `${instance.segment.stack}.${inside}`;
};

/** The axis along which a site has rows (of attention's weights those that look), and whether these are the encoder's tokens. */
export const rowsOf = ({
  type: { axes },
  instance,
}: PlacedSite): { readonly at: number; readonly isSource: boolean } => {
  const own = axes.findIndex((axis) => axis === 'position' || axis === 'query');
  const isSource = instance.segment.stack === 'encoder' || own < 0;
  return { at: own < 0 ? axes.indexOf('source') : own, isSource };
};

/** The ways to cut that a site's axes allow. */
const waysOf = ({ type }: PlacedSite): readonly By[] =>
  (Object.keys(axesOf) as By[]).filter((by) => type.axes.some((axis) => axesOf[by].includes(axis)));

/** Cut as it is cut where nothing is said: into heads where it has them, else into positions. */
const usualWay = (place: PlacedSite): readonly By[] => {
  const ways = waysOf(place);
  return ways.includes('head') ? ['head'] : ways.includes('position') ? ['position'] : [];
};

/** Sites by short names (`resid_pre`, `z`, `mlp.post`), full names or globs. */
const chosen = (program: Program, order: readonly Instance[], names: string): readonly PlacedSite[] => {
  const places = placedSites(order);
  const found = parseGlobs(names).flatMap((glob) => {
    const { text, where } = glob;
    if (Object.keys(where).length > 0)
      throw new UsageError(`${text} is given with a selector, and each of its parts is changed by itself`, {
        code: 'OPTION_INVALID',
        hint: 'Name the site alone; --by says along what it is cut, --layers and --positions which parts are meant.',
      });
    const short = places.filter((p) => {
      const kind = kindOf(p);
      return [text, `attn.${text}`, `mlp.${text}`].some((k) => kind === k || kind.replace(/^(en|de)coder\./, '') === k);
    });
    const canonical = canonicalName(program, text);
    const full = text.includes('*')
      ? places.filter((p) => !p.site.onRequest && matches(glob, p.name))
      : places.filter((p) => p.name === canonical);
    const all = short.length > 0 ? short : full;
    if (all.length === 0) {
      const kinds = new Set(places.map(kindOf));
      throw unknownSite(text, [...kinds, ...places.map((p) => p.name)]);
    }
    return all;
  });
  return [...new Set(found)];
};

export interface CellsRequest {
  readonly program: Program;
  readonly order: readonly Instance[];
  readonly prompt: Prompt;
  /** Short names, names or globs, separated by commas. */
  readonly sites: string;
  /** Left out: as each site is usually cut. */
  readonly by?: readonly By[] | undefined;
  /** Only these layers. */
  readonly layers?: readonly number[] | undefined;
  /** Only these positions. */
  readonly positions?: readonly number[] | undefined;
}

const refuseHead = ({ name, instance }: PlacedSite): void => {
  if (instance.segment.kind !== 'head') return;
  throw new UsageError(`${name} is in the head, behind all layers`, {
    code: 'OPTION_INVALID',
    hint: 'The last value before it is resid_post of the last layer.',
  });
};

/** A site's shape in a run of a prompt by itself. */
export const shapeIn = (
  { type, instance }: PlacedSite,
  prompt: { readonly ids: readonly number[]; readonly source?: { readonly ids: readonly number[] } },
): readonly number[] => {
  const source = prompt.source?.ids.length ?? 0;
  const positions = instance.segment.stack === 'encoder' ? source : prompt.ids.length;
  return shapeOf(type, extentsFor(1, positions, source));
};

const cellsIn = (place: PlacedSite, by: readonly By[], { prompt, positions }: CellsRequest): readonly Cell[] => {
  const unfit = by.find((way) => !waysOf(place).includes(way));
  if (unfit)
    throw new UsageError(`${place.name} has no ${unfit}s: its axes are ${place.type.axes.join(', ')}`, {
      code: 'OPTION_INVALID',
      hint: `Cut it by ${waysOf(place).join(', by ') || 'none'}, or choose sites that have one, such as attn.z by head or mlp.post by neuron.`,
    });
  return by.reduce<readonly Cell[]>(
    (cells, way) => {
      const at = place.type.axes.findIndex((name) => axesOf[way].includes(name));
      const all = Array.from({ length: shapeIn(place, prompt)[at] ?? 0 }, (_, i) => i);
      const indices = way === 'position' && positions ? all.filter((i) => positions.includes(i)) : all;
      return cells.flatMap((cell) =>
        indices.map((i) => ({ ...cell, [way]: i, indices: cell.indices.map((own, a) => (a === at ? [i] : own)) })),
      );
    },
    [{ place, indices: place.type.axes.map(() => undefined) }],
  );
};

/**
 * The parts that are to be changed one at a time, by kind of site.
 * @throws UsageError SITE_UNKNOWN with the nearest names, OPTION_INVALID where a site cannot be cut so
 */
export const gridsOf = (request: CellsRequest): readonly Grid[] => {
  const { program, order, sites, layers } = request;
  const places = chosen(program, order, sites);
  places.forEach(refuseHead);
  const kinds = new Map<string, PlacedSite[]>();
  for (const place of places) {
    const layer = layerOf(place);
    if (layers && (layer === undefined || !layers.includes(layer))) continue;
    kinds.set(kindOf(place), [...(kinds.get(kindOf(place)) ?? []), place]);
  }
  return [...kinds].map(([kind, own]) => {
    const by = request.by ?? usualWay(own[0] as PlacedSite);
    return { kind, by, cells: own.flatMap((place) => cellsIn(place, by, request)) };
  });
};
