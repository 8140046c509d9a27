import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Target } from '../debugger/index.js';

/** The layer (or other part) that a site is in: `blocks.3`, `decoder.blocks.0`; of a site outside of layers its own name. */
const moduleOf = (site: string): string =>
  /^((?:(?:encoder|decoder)\.)?blocks\.\d+(?:#\d+)?)\./.exec(site)?.[1] ?? site.split('.')[0] ?? site;

/** The parts of the model in the order in which they run, with how many values each has that can be looked at. */
export const modulesOf = async (target: Target): Promise<DebugProtocol.Module[]> => {
  const { sites } = await target.view({ ask: 'sites' });
  const counts = new Map<string, number>();
  for (const { name } of sites) counts.set(moduleOf(name), (counts.get(moduleOf(name)) ?? 0) + 1);
  return [...counts].map(([name, count]) => ({ id: name, name, sites: count }));
};
