import type { DebugSession } from '../debugger/index.js';
import type { Site } from '../graph/index.js';

/** The sites of the layer that the run is in which the listing computes; others are worked out only where asked for. */
export const sitesHere = ({ instance, source }: DebugSession): readonly Site[] => {
  if (!instance) return [];
  const { id, graph } = instance.segment;
  const computed = new Set([...source.opsOf(id).map(({ node }) => node), ...graph.inputs.map((input) => input.id)]);
  return graph.sites.filter(({ value }) => computed.has(value));
};
