import { type Graph, type Node, type Output, type ValueId } from '../../graph/index.js';
import { verify, typesOf } from '../../graph/index.js';

/** A piece of a graph: a linear with its weight, or what lies between linears. */
export interface Piece {
  readonly kind: 'linear' | 'glue';
  readonly graph: Graph;
}

/** Is this the product of a value with a weight of the file? */
const isLinear = (graph: Graph): ((node: Node) => boolean) => {
  const params = new Set(graph.params.map((p) => p.id));
  return ({ op, inputs: [x, weight] }) =>
    op === 'Linear' && weight !== undefined && params.has(weight) && x !== undefined && !params.has(x);
};

/** How many linears stand before each node on the longest way to it. */
const levels = (graph: Graph): Map<ValueId, number> => {
  const linear = isLinear(graph);
  const level = new Map<ValueId, number>();
  const nodes = new Map(graph.nodes.map((n) => [n.id, n]));
  for (const node of graph.nodes) {
    const before = node.inputs.map((id) => {
      const source = nodes.get(id);
      return (level.get(id) ?? 0) + (source && linear(source) ? 1 : 0);
    });
    level.set(node.id, Math.max(0, ...before));
  }
  return level;
};

const pieceOf = (
  graph: Graph,
  nodes: readonly Node[],
  { name, wanted }: { name: string; wanted: ReadonlySet<ValueId> },
): Graph => {
  const types = typesOf(graph);
  const read = new Set(nodes.flatMap((n) => n.inputs));
  const constants = graph.nodes.filter((n) => n.op === 'Constant' && read.has(n.id) && !nodes.includes(n));
  const made = new Set([...constants, ...nodes].map((n) => n.id));
  const reads = [...read].filter((id) => !made.has(id));
  const params = graph.params.filter((p) => reads.includes(p.id));
  const outside = reads.filter((id) => !params.some((p) => p.id === id));
  const inputs = outside.flatMap((id) => {
    const type = types.get(id);
    return type ? [{ id, name: id, type }] : [];
  });
  const outputs = nodes.filter(({ id }) => wanted.has(id)).map(({ id }): Output => ({ name: id, value: id }));
  return verify({ name, inputs, params, nodes: [...constants, ...nodes], sites: [], outputs });
};

/**
 * A graph as a sequence of pieces: linears one by one, and all that can run between them as one piece a level.
 * Values pass between pieces under their ids; constants do not, each piece has its own.
 */
export const takeApart = (graph: Graph): readonly Piece[] => {
  const linear = isLinear(graph);
  const level = levels(graph);
  const readers = new Map<ValueId, Node[]>();
  for (const n of graph.nodes) for (const id of n.inputs) readers.set(id, [...(readers.get(id) ?? []), n]);
  const outputs = new Set(graph.outputs.map((o) => o.value));
  const groups = new Map<string, Node[]>();
  for (const n of graph.nodes) {
    if (n.op === 'Constant' && !outputs.has(n.id)) continue;
    const key = `${level.get(n.id) ?? 0}/${linear(n) ? n.id : ''}`;
    groups.set(key, [...(groups.get(key) ?? []), n]);
  }
  const order = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => {
    const [levelA = '', idA = ''] = a.split('/');
    const [levelB = '', idB = ''] = b.split('/');
    return Number(levelA) - Number(levelB) || (idA === '' ? 0 : 1) - (idB === '' ? 0 : 1);
  };
  return [...groups].sort(order).map(([key, nodes]) => {
    const own = new Set(nodes);
    const leaves = ({ id, op }: Node): boolean =>
      outputs.has(id) || (op !== 'Constant' && (readers.get(id) ?? []).some((n) => !own.has(n)));
    const wanted = new Set(nodes.filter(leaves).map((n) => n.id));
    const kind = key.endsWith('/') ? 'glue' : 'linear';
    return { kind, graph: pieceOf(graph, nodes, { name: `${graph.name}:${kind}:${key}`, wanted }) };
  });
};
