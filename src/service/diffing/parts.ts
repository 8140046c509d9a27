import { UsageError } from '../../base/index.js';
import { formatBytes } from '../bytes.js';
import { freeMemoryBytes } from '../machine.node.js';

/**
 * Sites in groups whose values fit into memory together, in their order.
 * @throws UsageError MEMORY_LIMIT where one alone does not
 */
export const partsOf = (
  sites: readonly string[],
  bytesOf: (site: string) => number,
  maxBytes?: number,
): readonly (readonly string[])[] => {
  const limit = maxBytes ?? Math.floor(freeMemoryBytes() / 3);
  const parts: string[][] = [];
  let room = 0;
  for (const site of sites) {
    const bytes = bytesOf(site);
    if (bytes > limit)
      throw new UsageError(
        `${site} would take ${formatBytes(bytes)} on both sides, more than the limit of ${formatBytes(limit)}`,
        {
          code: 'MEMORY_LIMIT',
          hint: 'Give a shorter prompt, leave the site out with --sites, or set another limit with --max-bytes.',
          details: { bytes, limit, site },
        },
      );
    if (bytes > room || parts.length === 0) {
      parts.push([]);
      room = limit;
    }
    parts.at(-1)?.push(site);
    room -= bytes;
  }
  return parts;
};
