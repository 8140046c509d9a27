import { bug } from '../../base/index.js';
import { typesOf, type Graph } from '../graph.js';
import type { ValueId, ValueType } from '../value.js';
import { verify } from '../verify.js';
import { ancestors } from './prune.js';

/** The name of the input by which a value comes into the part of a graph behind a site. */
export const fromInput = (id: ValueId): string => `from ${id}`;

/** The part of a graph behind sites, and the values of the whole that it reads. */
export interface Downstream {
  readonly graph: Graph;
  /** Values that it takes as inputs named `fromInput(id)`, the sites' own among them. */
  readonly reads: readonly ValueId[];
}

const plain = new Set(['batch', 'position', 'key', 'source', 'past', 'query']);

/** A value of which rows can be taken: each extent a number, or one that has a name of its own. */
const isPlain = ({ shape }: ValueType): boolean => shape.every((dim) => typeof dim === 'number' || plain.has(dim));

const descendants = (graph: Graph, of: ReadonlySet<ValueId>): Set<ValueId> => {
  const found = new Set(of);
  for (const node of graph.nodes) if (node.inputs.some((id) => found.has(id))) found.add(node.id);
  return found;
};

/** Values that depend on weights and constants alone: they are computed again, not handed over. */
export const fixedValues = (graph: Pick<Graph, 'params' | 'nodes'>): Set<ValueId> => {
  const fixed = new Set<ValueId>(graph.params.map((p) => p.id));
  for (const node of graph.nodes) if (node.inputs.every((id) => fixed.has(id))) fixed.add(node.id);
  return fixed;
};

/** What is computed behind the starts, and what that reads of the rest. */
const divide = (graph: Graph, starts: ReadonlySet<ValueId>) => {
  const types = typesOf(graph);
  const [behind, fixed] = [descendants(graph, starts), fixedValues(graph)];
  const given = new Set(graph.inputs.map((i) => i.id));
  const nodes = new Map(graph.nodes.map((n) => [n.id, n]));
  const [own, reads] = [new Set<ValueId>(), new Set<ValueId>()];
  const outputs = graph.outputs.filter((o) => behind.has(o.value));
  const isRead = (id: ValueId): boolean => {
    const type = types.get(id);
    const computed = behind.has(id) || fixed.has(id) || given.has(id);
    return starts.has(id) || (!computed && !!type && isPlain(type));
  };
  const open = outputs.map((o) => o.value);
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (own.has(id) || reads.has(id)) continue;
    if (isRead(id)) reads.add(id);
    else {
      own.add(id);
      open.push(...(nodes.get(id)?.inputs ?? []));
    }
  }
  return { own, reads, outputs, types };
};

/**
 * What of a graph changes when the values of sites do: the nodes behind them. Values that it reads beside the sites'
 * own are inputs too, so that they are not computed again; of these, what is no plain value (rows folded into another
 * axis) is computed here after all.
 * @throws BugError INTERNAL where the graph has no such site
 */
export const downstream = (graph: Graph, sites: readonly string[]): Downstream => {
  const starts = sites.map((name) => {
    const site = graph.sites.find((s) => s.name === name);
    if (!site) throw bug(`graph ${graph.name} has no site ${name}`);
    return site.value;
  });
  const { own, reads, outputs, types } = divide(graph, new Set(starts));
  const crossed = [...reads].flatMap((id) => {
    const type = types.get(id);
    return type ? [{ id, name: fromInput(id), type }] : [];
  });
  return {
    reads: [...reads],
    graph: verify({
      name: `${graph.name}:behind`,
      inputs: [...graph.inputs.filter((v) => own.has(v.id)), ...crossed],
      params: graph.params.filter((v) => own.has(v.id)),
      nodes: graph.nodes.filter((n) => own.has(n.id)),
      sites: graph.sites.filter((s) => own.has(s.value) || reads.has(s.value)),
      outputs,
    }),
  };
};

/** Whether each row of what a graph gives is made of the same row alone: nothing in it looks from one to another. */
export const isRowwise = (graph: Graph): boolean => {
  const needed = ancestors(
    graph,
    graph.outputs.map((o) => o.value),
  );
  const types = typesOf(graph);
  const hasRows = (id: ValueId): boolean => types.get(id)?.shape.includes('position') ?? false;
  const nodes = graph.nodes.filter((v) => needed.has(v.id));
  const inputs = graph.inputs.filter((v) => needed.has(v.id));
  // rows stand along the second axis, and none are added up
  const inPlace = [...inputs, ...nodes].every(({ type: { axes, shape } }) =>
    shape.every((dim, a) => typeof dim === 'number' || dim === ['batch', axes[a]][a]),
  );
  return inPlace && nodes.every((n) => hasRows(n.id) || !n.inputs.some(hasRows));
};
