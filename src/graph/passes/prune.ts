import type { Graph } from '../graph.js';
import type { ValueId } from '../value.js';
import { verify } from '../verify.js';

/** The values that the given ones are computed from, themselves included. */
export const ancestors = (graph: Graph, of: Iterable<ValueId>): Set<ValueId> => {
  const inputsOf = new Map(graph.nodes.map((n) => [n.id, n.inputs]));
  const found = new Set<ValueId>();
  const open = [...of];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    open.push(...(inputsOf.get(id) ?? []));
  }
  return found;
};

/** Leaves out what no output needs: nodes, weights, inputs, and the sites that named them. */
export const prune = (graph: Graph): Graph => {
  const needed = ancestors(
    graph,
    graph.outputs.map((o) => o.value),
  );
  return verify({
    ...graph,
    inputs: graph.inputs.filter((v) => needed.has(v.id)),
    params: graph.params.filter((v) => needed.has(v.id)),
    nodes: graph.nodes.filter((v) => needed.has(v.id)),
    sites: graph.sites.filter((s) => needed.has(s.value)),
  });
};
