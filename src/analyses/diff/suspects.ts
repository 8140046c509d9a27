import type { Graph, GraphInput, Node, Param, ValueId } from '../../graph/index.js';

/** What lies between a value that differs and the values before it that agree: the mistake is here. */
export interface Suspects {
  readonly nodes: readonly Node[];
  readonly params: readonly Param[];
  readonly inputs: readonly GraphInput[];
  /** Names of the sites that it is computed from, and that agree. */
  readonly from: readonly string[];
}

/**
 * The operations, weights and inputs that a value is made of, back to sites that agree.
 * @param site name of the value's site in the graph
 * @param agrees sites that were compared and agree
 */
export const suspectsOf = (graph: Graph, site: string, agrees: ReadonlySet<string>): Suspects => {
  const start = graph.sites.find((s) => s.name === site)?.value;
  const stops = new Map(
    graph.sites.filter((s) => agrees.has(s.name) && s.value !== start).map((s) => [s.value, s.name]),
  );
  const nodes = new Map(graph.nodes.map((n) => [n.id, n]));
  const [seen, from] = [new Set<ValueId>(), new Set<string>()];
  const visit = (id: ValueId): void => {
    if (seen.has(id)) return;
    const known = stops.get(id);
    if (known !== undefined) {
      from.add(known);
      return;
    }
    seen.add(id);
    for (const input of nodes.get(id)?.inputs ?? []) visit(input);
  };
  if (start !== undefined) visit(start);
  return {
    nodes: graph.nodes.filter((n) => seen.has(n.id)),
    params: graph.params.filter((p) => seen.has(p.id)),
    inputs: graph.inputs.filter((i) => seen.has(i.id)),
    from: [...from],
  };
};
