import type { Graph } from './graph.js';
import { link } from './passes/index.js';
import { handedOn, type Program, type Segment } from './program.js';

/**
 * All segments as one graph, in the given order (a segment may come twice), for export and for reading.
 * Its caches are inputs `blocks.L.past_k` [batch, past, kvHead, headDim] and outputs `blocks.L.fresh_k`.
 */
export const wholeGraph = (program: Program, segments: readonly Segment[] = program.segments): Graph => {
  const own = new Set(segments.flatMap((s) => s.cache.flatMap((c) => [c.past, c.fresh])));
  const carried = new Set(segments.flatMap(handedOn));
  return link(
    program.family,
    segments.map((s) => ({ name: s.id, graph: s.graph, reads: s.reads ?? {} })),
    { carried, own },
  );
};
