import { UsageError } from '../base/index.js';
import { extentsFor, siteBytes, type PlacedSite, type Prompt } from '../engine/index.js';
import { shapeOf } from '../graph/index.js';
import type { Where } from '../language/index.js';
import type { InspectInput } from '../protocol/index.js';
import { formatBytes } from './bytes.js';
import type { Wanted } from './chosen-sites.js';
import { freeMemoryBytes } from './machine.node.js';

/** All of a site. */
export const wholeOf = (place: PlacedSite): Wanted => ({ place, where: {} });

/** The share of a value that a selector chooses, at most: what names tokens may choose any number of them. */
const shareOf = ({ type }: PlacedSite, where: Where, shape: readonly number[]): number =>
  Object.entries(where).reduce((share, [axis, index]) => {
    const extent = Math.max(1, shape[type.axes.indexOf(axis)] ?? 1);
    if (typeof index === 'number') return share / extent;
    if (Array.isArray(index)) return share * Math.min(1, index.length / extent);
    return share;
  }, 1);

/**
 * Bytes that the sites will take, and what comes with them; stops before any is computed where that is too much. Of a site
 * of which a part is wanted the whole is there for a moment: the largest such counts beside all parts.
 */
export const predictBytes = (
  wanted: readonly Wanted[],
  prompt: Prompt,
  { maxBytes, more = 0 }: Pick<InspectInput, 'maxBytes'> & { readonly more?: number },
): number => {
  const extents = extentsFor(1, prompt.ids.length, prompt.source?.ids.length);
  const sizes = wanted.map(({ place, where }) => {
    const { graph } = place.instance.segment;
    const whole = siteBytes(graph, [place.site.name], extents).get(place.site.name) ?? 0;
    return { whole, part: whole * shareOf(place, where, shapeOf(place.type, extents)), block: place.instance.name };
  });
  const parts = sizes.reduce((sum, s) => sum + s.part, more);
  const passing = new Map<string, number>();
  for (const { whole, part, block } of sizes) if (part < whole) passing.set(block, (passing.get(block) ?? 0) + whole);
  const bytes = Math.ceil(parts + Math.max(0, ...passing.values()));
  const limit = maxBytes ?? Math.floor(freeMemoryBytes() / 2);
  if (bytes <= limit) return bytes;
  throw new UsageError(
    `the ${wanted.length} sites would take ${formatBytes(bytes)}, more than the limit of ${formatBytes(limit)}`,
    {
      code: 'MEMORY_LIMIT',
      hint: `Choose fewer sites, a shorter prompt, or another limit with --max-bytes${more > 0 ? '; --grad-checkpoint keeps less' : ''}.`,
      details: { bytes, limit, sites: wanted.length },
    },
  );
};
