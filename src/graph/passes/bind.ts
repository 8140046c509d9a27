import type { Graph } from '../graph.js';
import { verify } from '../verify.js';

/** The name of the input that takes a weight's place. */
export const paramInput = (name: string): string => `weight:${name}`;

/** Makes these weights inputs, so that their numbers can change from run to run. */
export const weightsAsInputs = (graph: Graph, names: ReadonlySet<string>): Graph => {
  const moved = graph.params.filter((p) => names.has(p.name));
  if (moved.length === 0) return graph;
  return verify({
    ...graph,
    params: graph.params.filter((p) => !names.has(p.name)),
    inputs: [...graph.inputs, ...moved.map((p) => ({ ...p, name: paramInput(p.name) }))],
  });
};
