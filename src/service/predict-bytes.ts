import { UsageError } from '../base/index.js';
import { extentsFor, siteBytes, type PlacedSite, type Prompt } from '../engine/index.js';
import type { InspectInput } from '../protocol/index.js';
import { formatBytes } from './bytes.js';
import { freeMemoryBytes } from './machine.node.js';

/** Bytes that the sites will take, and what comes with them; stops before any is computed where that is too much. */
export const predictBytes = (
  places: readonly PlacedSite[],
  prompt: Prompt,
  { maxBytes, more = 0 }: Pick<InspectInput, 'maxBytes'> & { readonly more?: number },
): number => {
  const extents = extentsFor(1, prompt.ids.length, prompt.source?.ids.length);
  const bytes = places.reduce(
    (sum, p) => sum + (siteBytes(p.instance.segment.graph, [p.site.name], extents).get(p.site.name) ?? 0),
    more,
  );
  const limit = maxBytes ?? Math.floor(freeMemoryBytes() / 2);
  if (bytes <= limit) return bytes;
  throw new UsageError(
    `the ${places.length} sites would take ${formatBytes(bytes)}, more than the limit of ${formatBytes(limit)}`,
    {
      code: 'MEMORY_LIMIT',
      hint: `Choose fewer sites, a shorter prompt, or another limit with --max-bytes${more > 0 ? '; --grad-checkpoint keeps less' : ''}.`,
      details: { bytes, limit, sites: places.length },
    },
  );
};
