import { gradientName, mapLeaves, siteOfGradient, type Expression, type SiteName } from '../../language/index.js';

/** The sites that there are where a run stands. */
export interface LocalSites {
  /** The layer's own name, `blocks.3`; undefined where the run is in none. */
  readonly place: string | undefined;
  /** Is there a site of this name, or alias? */
  readonly has: (name: string) => boolean;
  /** All names. */
  readonly all: () => Iterable<string>;
}

/** What a site is called inside its layer: `attn.z` of `blocks.3.attn.z`; undefined outside of layers. */
const innerName = (site: string): string | undefined =>
  /^(?:(?:encoder|decoder)\.)?blocks\.\d+(?:#\d+)?\.(.+)$/.exec(site)?.[1];

/** A site's own name, for one as the listing has it: `attn.z` in layer 3 is `blocks.3.attn.z`; of a gradient the same. */
export const ownName = (site: string, sites: LocalSites): string => {
  const { place, has } = sites;
  const inner = siteOfGradient(site);
  if (inner !== undefined) return gradientName(ownName(inner, sites));
  const own = `${place ?? ''}.${site}`;
  return place !== undefined && !has(site) && has(own) ? own : site;
};

/** Sites that are named as the listing names them as those of the layer where the run stands. */
export const localTree = (tree: Expression, sites: LocalSites): Expression =>
  mapLeaves(tree, (leaf) => (leaf.kind === 'site' ? { ...leaf, site: ownName(leaf.site, sites) as SiteName } : leaf));

/** Is this a name of the listing, of which some layer has a site? Of a gradient, its site's. */
export const isInSomeLayer = (name: string, { has, all }: LocalSites): boolean => {
  const site = siteOfGradient(name) ?? name;
  if (has(site)) return false;
  for (const other of all()) if (innerName(other) === site) return true;
  return false;
};
