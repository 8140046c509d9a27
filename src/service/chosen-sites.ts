import { bug } from '../base/index.js';
import {
  canonicalName,
  placedSites,
  sequenceAt,
  sequenceOf,
  unknownSite,
  type PlacedSite,
  type Prompt,
  type Variant,
} from '../engine/index.js';
import { matches, parseGlobs, resolveSelector, type Glob, type Where } from '../language/index.js';
import { take, type Tensor } from '../tensor/index.js';
import type { OpenModel } from './open-model.js';

/** A site to read, and which part of it. */
export interface Wanted {
  readonly place: PlacedSite;
  readonly where: Where;
}

/** A site's value at a step, or the part of it that was chosen. */
export interface SiteValue {
  readonly name: string;
  readonly axes: readonly string[];
  readonly tensor: Tensor;
  /** Extents of the whole value, positions from the start of the sequence. */
  readonly whole: readonly number[];
  /** The indices of the whole value that are there, along axes of which not all are. */
  readonly indices: Readonly<Record<string, readonly number[]>>;
}

/** Names that a glob chooses. A wildcard leaves out what is made on request. */
const chosenBy = (glob: Glob, places: readonly PlacedSite[], model: OpenModel): readonly string[] => {
  const { aliases } = model.program.facts;
  if (!glob.text.includes('*')) return [canonicalName(model.program, glob.text)];
  const free = places.filter((p) => !p.site.onRequest).map((p) => p.name);
  const byAlias = new Set([...aliases].filter(([alias]) => matches(glob, alias)).map(([, name]) => name));
  return free.filter((name) => matches(glob, name) || byAlias.has(name));
};

/**
 * The sites that globs choose, in the order of the run.
 * @throws UsageError SITE_UNKNOWN with the nearest names, SELECTOR_SYNTAX
 */
export const sitesFor = (model: OpenModel, variant: Pick<Variant, 'order'>, globs: string): readonly Wanted[] => {
  const places = placedSites(variant.order);
  const wanted = new Map<string, Where>();
  for (const glob of parseGlobs(globs)) {
    const names = chosenBy(glob, places, model).filter((name) => places.some((p) => p.name === name));
    if (names.length === 0)
      throw unknownSite(glob.text, [...places.map((p) => p.name), ...model.program.facts.aliases.keys()]);
    for (const name of names) wanted.set(name, glob.where);
  }
  return places.flatMap((place) => {
    const where = wanted.get(place.name);
    return where ? [{ place, where }] : [];
  });
};

/** Axes along which a later step has new rows only. */
const moving: ReadonlySet<string> = new Set(['position', 'query']);

const counted = (from: number, length: number): number[] => Array.from({ length }, (_, i) => from + i);

/** Which pass a value is of. */
export interface Reached {
  readonly prompt: Prompt;
  /** Positions from the start of the sequence to the end of this pass. */
  readonly length: number;
  /** Positions that the sequence may have in the end: selectors may name them before. */
  readonly most: number;
}

/** The first position that a pass over a stack computes: 0 in the prefill and in an encoder. */
const firstRow = (place: PlacedSite, shape: readonly number[], { length }: Reached): number => {
  if (place.instance.segment.stack === 'encoder') return 0;
  const at = place.type.axes.findIndex((axis) => moving.has(axis));
  return at < 0 ? 0 : Math.max(0, length - (shape[at] ?? length));
};

/**
 * The part of a value that a selector chooses.
 * @throws UsageError SELECTOR_INVALID, AMBIGUOUS_TOKEN
 */
export const partOf = (tensor: Tensor | undefined, { place, where }: Wanted, reached: Reached): SiteValue => {
  if (!tensor) throw bug(`${place.name} was not captured`);
  const { axes } = place.type;
  const { shape } = tensor;
  const offset = firstRow(place, shape, reached);
  const { tokens, source } = sequenceAt(sequenceOf(reached.prompt), place.instance.segment.stack);
  const isEncoder = place.instance.segment.stack === 'encoder';
  const texts = { tokens, ...(source ? { sourceTokens: source } : {}), ...(isEncoder ? {} : { length: reached.most }) };
  const chosen = resolveSelector(where, { name: place.name, axes, shape, offset, ...texts });
  const start = (axis: string): number => (moving.has(axis) ? offset : 0);
  const rows = (axis: string, a: number): readonly number[] =>
    chosen.get(axis)?.map((i) => start(axis) + i) ?? counted(start(axis), shape[a] ?? 0);
  const partial = axes.filter((axis) => chosen.has(axis) || start(axis) > 0);
  return {
    ...{ name: place.name, axes, whole: axes.map((axis, a) => start(axis) + (shape[a] ?? 0)) },
    indices: Object.fromEntries(partial.map((axis) => [axis, rows(axis, axes.indexOf(axis))])),
    tensor: axes.reduce((t, axis, a) => {
      const indices = chosen.get(axis);
      return indices ? take(t, a, indices) : t;
    }, tensor),
  };
};

/** Sites of which all is wanted. */
export const wholeSites = (places: readonly PlacedSite[]): readonly Wanted[] =>
  places.map((place) => ({ place, where: {} }));
