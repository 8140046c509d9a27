import { bug } from '../../base/index.js';
import type { Graph, Node } from '../graph.js';
import type { ValueId } from '../value.js';
import { verify } from '../verify.js';

/** The nodes in an order in which each comes after what it reads; the given order is kept where it can be. */
export const inOrder = (graph: Graph): readonly Node[] => {
  const nodes = new Map(graph.nodes.map((n) => [n.id, n]));
  const done = new Set<ValueId>([...graph.inputs, ...graph.params].map((v) => v.id));
  const sorted: Node[] = [];
  const place = (start: Node): void => {
    const stack = [start];
    while (stack.length > 0) {
      const node = stack.at(-1) ?? start;
      const waiting = node.inputs.filter((id) => !done.has(id)).flatMap((id) => nodes.get(id) ?? []);
      if (waiting.length > 0) {
        if (stack.length > nodes.size) throw bug(`graph ${graph.name} has a circle through ${node.id}`);
        stack.push(...waiting);
        continue;
      }
      stack.pop();
      if (!done.has(node.id)) sorted.push(node);
      done.add(node.id);
    }
  };
  for (const node of graph.nodes) if (!done.has(node.id)) place(node);
  return sorted;
};

/**
 * Every reader of `from` (nodes, outputs, sites) reads `to` instead, except the nodes in `keep`,
 * which make `to` out of `from`.
 */
export const substitute = (
  graph: Graph,
  { from, to, keep }: { readonly from: ValueId; readonly to: ValueId; readonly keep: ReadonlySet<ValueId> },
): Graph => {
  const swap = (id: ValueId): ValueId => (id === from ? to : id);
  const nodes = graph.nodes.map((n) => (keep.has(n.id) ? n : { ...n, inputs: n.inputs.map(swap) }));
  return {
    ...graph,
    nodes,
    outputs: graph.outputs.map((o) => ({ ...o, value: swap(o.value) })),
    sites: graph.sites.map((s) => ({
      ...s,
      value: swap(s.value),
      ...(s.partOf ? { partOf: { ...s.partOf, value: swap(s.partOf.value) } } : {}),
    })),
  };
};

/**
 * A graph that was changed by hand, its nodes in order again; with `change`, after a substitution.
 * @throws BugError GRAPH_INVALID where it does not fit together
 */
export const rewired = (graph: Graph, change?: Parameters<typeof substitute>[1]): Graph => {
  const swapped = change ? substitute(graph, change) : graph;
  return verify({ ...swapped, nodes: inOrder(swapped) });
};
