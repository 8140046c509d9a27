import type { Graph, Node, OpName, Param, ValueId } from '../../../graph/index.js';
import type { Scene } from './mistake.js';

/** An operation found again in segments that are built alike: the same one in the order of their nodes. */
export interface Place<K extends OpName> {
  readonly node: Node<K>;
  readonly in: (graph: Graph) => Node<K> | undefined;
}

const asOp = <K extends OpName>(node: Node | undefined, op: K): Node<K> | undefined =>
  node?.op === op ? (node as unknown as Node<K>) : undefined;

/** The suspects of one kind. */
export const placesOf = <K extends OpName>({ segment, suspects }: Scene, op: K): readonly Place<K>[] =>
  suspects.nodes.flatMap((node) => {
    const found = asOp(node, op);
    if (!found) return [];
    const index = segment.graph.nodes.findIndex((n) => n.id === node.id);
    return [{ node: found, in: (graph) => asOp(graph.nodes[index], op) }];
  });

/** The weight that has the same place in a segment built alike. */
export const sameParam = ({ segment }: Scene, param: Param, graph: Graph): Param | undefined => {
  const there = graph.params[segment.graph.params.findIndex((p) => p.id === param.id)];
  return there?.type.shape.join() === param.type.shape.join() ? there : undefined;
};

/** What a value is called: a site, a weight, an input; else the first of these that it is made of. */
export const nameOf = (graph: Graph, id: ValueId, depth = 6): string | undefined => {
  const known =
    graph.sites.find((s) => s.value === id)?.name ??
    graph.params.find((p) => p.id === id)?.name ??
    graph.inputs.find((i) => i.id === id)?.name;
  if (known !== undefined || depth === 0) return known;
  const node = graph.nodes.find((n) => n.id === id);
  for (const input of node?.inputs ?? []) {
    const found = nameOf(graph, input, depth - 1);
    if (found !== undefined) return found;
  }
  return undefined;
};

/** A number as people write it in a config. */
export const shown = (x: number): string =>
  x !== 0 && Math.abs(x) < 1e-3 ? x.toExponential() : String(+x.toPrecision(6));
