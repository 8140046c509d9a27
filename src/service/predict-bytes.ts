import { UsageError } from '../base/index.js';
import { extentsFor, siteBytes, type PlacedSite, type Prompt } from '../engine/index.js';
import type { InspectInput } from '../protocol/index.js';
import { formatBytes } from './bytes.js';
import { freeMemoryBytes } from './machine.node.js';

/** Bytes that the sites will take; stops before any is computed where that is too much. */
export const predictBytes = (
  places: readonly PlacedSite[],
  prompt: Prompt,
  input: Pick<InspectInput, 'maxBytes'>,
): number => {
  const extents = extentsFor(1, prompt.ids.length, prompt.source?.ids.length);
  const bytes = places.reduce(
    (sum, p) => sum + (siteBytes(p.instance.segment.graph, [p.site.name], extents).get(p.site.name) ?? 0),
    0,
  );
  const limit = input.maxBytes ?? Math.floor(freeMemoryBytes() / 2);
  if (bytes <= limit) return bytes;
  throw new UsageError(
    `the ${places.length} sites would take ${formatBytes(bytes)}, more than the limit of ${formatBytes(limit)}`,
    {
      code: 'MEMORY_LIMIT',
      hint: 'Choose fewer sites, a shorter prompt, or another limit with --max-bytes.',
      details: { bytes, limit, sites: places.length },
    },
  );
};
