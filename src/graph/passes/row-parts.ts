import { typesOf, type Graph, type Node, type Output } from '../graph.js';
import type { ValueId, ValueType } from '../value.js';
import { verify } from '../verify.js';
import { fixedValues, fromInput } from './downstream.js';
import { ancestors } from './prune.js';

/**
 * A graph as three that run one after the other. In `before` and `after` each row is made of the same row alone, so
 * that rows of several sequences can stand side by side as those of one; in `between` rows look at each other. Values
 * that a part takes from an earlier one are inputs of the one and outputs of the other, named `fromInput(id)`.
 */
export interface RowParts {
  readonly before: Graph;
  readonly between: Graph;
  readonly after: Graph;
}

export type RowPart = keyof RowParts;

const hasExtents = ({ shape }: ValueType): boolean => shape.some((dim) => typeof dim === 'string');

/** Do rows stand along the second axis, and nothing else that is of a text along another? */
export const rowsInPlace = ({ shape }: ValueType): boolean =>
  shape[1] === 'position' &&
  shape.every((dim, a) => typeof dim === 'number' || (a === 0 && dim === 'batch') || (a === 1 && dim === 'position'));

/** Is each row of what a node gives made of the same row of its operands? */
const staysInRow = ({ attrs, type, inputs }: Node, types: ReadonlyMap<ValueId, ValueType>): boolean => {
  if ('axis' in attrs && attrs.axis === 1) return false;
  const all = [type, ...inputs.flatMap((id) => types.get(id) ?? [])];
  return rowsInPlace(type) && all.every((t) => !hasExtents(t) || rowsInPlace(t));
};

/** Which part each node is in that is not fixed; undefined where an output is not made of rows alone in the end. */
const placed = (graph: Graph, nodes: readonly Node[], fixed: ReadonlySet<ValueId>): Map<ValueId, RowPart> => {
  const types = typesOf(graph);
  const free = nodes.filter((n) => !fixed.has(n.id));
  const where = new Map<ValueId, RowPart>();
  const isGiven = new Set(graph.inputs.map((i) => i.id));
  for (const node of free) {
    const early = node.inputs.every((id) => fixed.has(id) || isGiven.has(id) || where.get(id) === 'before');
    where.set(node.id, early && staysInRow(node, types) ? 'before' : 'between');
  }
  const readers = new Map<ValueId, ValueId[]>();
  for (const node of free) for (const id of node.inputs) readers.set(id, [...(readers.get(id) ?? []), node.id]);
  for (const node of free.toReversed()) {
    if (where.get(node.id) === 'before' || !staysInRow(node, types)) continue;
    if ((readers.get(node.id) ?? []).every((id) => where.get(id) === 'after')) where.set(node.id, 'after');
  }
  return where;
};

/**
 * Divides what some outputs of a graph are computed from, where rows begin and end to look at each other.
 * @returns undefined where they never do, or still do in what the graph gives
 */
export const rowParts = (graph: Graph, wanted: readonly string[]): RowParts | undefined => {
  const outputs = graph.outputs.filter((o) => wanted.includes(o.name));
  const needed = ancestors(
    graph,
    outputs.map((o) => o.value),
  );
  const nodes = graph.nodes.filter((n) => needed.has(n.id));
  const fixed = fixedValues({ params: graph.params, nodes });
  const where = placed(graph, nodes, fixed);
  if (!outputs.every((o) => where.get(o.value) === 'after')) return undefined;
  if (![...where.values()].includes('between')) return undefined;
  const types = typesOf(graph);
  const part = (own: RowPart): Graph => {
    const inside = nodes.filter((n) => where.get(n.id) === own);
    const needs = ancestors(
      { ...graph, nodes: [...inside, ...nodes.filter((n) => fixed.has(n.id))] },
      inside.map((n) => n.id),
    );
    const crossing = [...needs].filter((id) => where.has(id) && where.get(id) !== own);
    const isRead = (id: ValueId): boolean =>
      nodes.some((n) => where.has(n.id) && where.get(n.id) !== own && n.inputs.includes(id));
    const crossed = inside.filter((n) => isRead(n.id)).map((n): Output => ({ name: fromInput(n.id), value: n.id }));
    return verify({
      name: `${graph.name}:${own}`,
      inputs: [
        ...graph.inputs.filter((i) => needs.has(i.id)),
        ...crossing.flatMap((id) => {
          const type = types.get(id);
          return type ? [{ id, name: fromInput(id), type }] : [];
        }),
      ],
      params: graph.params.filter((p) => needs.has(p.id)),
      nodes: nodes.filter((n) => needs.has(n.id) && (fixed.has(n.id) || where.get(n.id) === own)),
      sites: [],
      outputs: [...crossed, ...outputs.filter((o) => where.get(o.value) === own)],
    });
  };
  return { before: part('before'), between: part('between'), after: part('after') };
};
