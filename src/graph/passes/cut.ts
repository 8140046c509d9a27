import { typesOf, type Graph } from '../graph.js';
import type { ValueId } from '../value.js';
import { verify } from '../verify.js';
import { ancestors } from './prune.js';

/** The name under which a value crosses a cut. */
const crossingName = (id: ValueId): string => `cut:${id}`;

/**
 * Cuts a graph in two that run one after the other: all that the given values are computed from, and the rest.
 * The values that the second part needs of the first are outputs of the one and inputs of the other (`cut:ID`);
 * the outputs of the whole are outputs of the part that computes them.
 */
export const cut = (graph: Graph, at: Iterable<ValueId>): { readonly before: Graph; readonly after: Graph } => {
  const early = ancestors(graph, at);
  const nodes = graph.nodes.filter((n) => early.has(n.id));
  const rest = graph.nodes.filter((n) => !early.has(n.id));
  const made = new Set(nodes.map((n) => n.id));
  const types = typesOf(graph);
  const needed = new Set(rest.flatMap((n) => n.inputs));
  const crossing = [...made].filter((id) => needed.has(id));
  const used = (list: readonly { readonly inputs: readonly ValueId[] }[]): Set<ValueId> =>
    new Set(list.flatMap((n) => n.inputs));
  const part = (own: typeof nodes, isEarly: boolean): Pick<Graph, 'inputs' | 'params' | 'sites' | 'outputs'> => {
    const reads = used(own);
    const inside = (id: ValueId): boolean =>
      made.has(id) === isEarly && (own.some((n) => n.id === id) || reads.has(id));
    return {
      inputs: graph.inputs.filter((v) => reads.has(v.id)),
      params: graph.params.filter((v) => reads.has(v.id)),
      sites: graph.sites.filter((s) => inside(s.value)),
      outputs: graph.outputs.filter((o) => inside(o.value)),
    };
  };
  const [first, second] = [part(nodes, true), part(rest, false)];
  const crossed = crossing.flatMap((id) => {
    const type = types.get(id);
    return type ? [{ id, name: crossingName(id), type }] : [];
  });
  return {
    before: verify({
      ...first,
      name: `${graph.name}:before`,
      nodes,
      outputs: [...first.outputs, ...crossing.map((id) => ({ name: crossingName(id), value: id }))],
    }),
    after: verify({ ...second, name: `${graph.name}:after`, nodes: rest, inputs: [...second.inputs, ...crossed] }),
  };
};
