import { mapLeaves, type Expression, type SiteName } from '../../language/index.js';

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

/** A site's own name, for one as the listing has it: `attn.z` in layer 3 is `blocks.3.attn.z`. */
export const ownName = (site: string, { place, has }: LocalSites): string => {
  const own = `${place ?? ''}.${site}`;
  return place !== undefined && !has(site) && has(own) ? own : site;
};

/** Sites that are named as the listing names them as those of the layer where the run stands. */
export const localTree = (tree: Expression, sites: LocalSites): Expression =>
  mapLeaves(tree, (leaf) => (leaf.kind === 'site' ? { ...leaf, site: ownName(leaf.site, sites) as SiteName } : leaf));

/** Is this a name of the listing, of which some layer has a site? */
export const isInSomeLayer = (site: string, { has, all }: LocalSites): boolean => {
  if (has(site)) return false;
  for (const name of all()) if (innerName(name) === site) return true;
  return false;
};
