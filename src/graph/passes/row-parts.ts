import { typesOf, type Graph, type Node } from '../graph.js';
import type { ValueId, ValueType } from '../value.js';
import { fixedValues } from './downstream.js';
import { ancestors } from './prune.js';

/**
 * The operations of a graph in three parts that come one after the other, but for those that hang on weights and
 * constants alone. In `before` and `after` each row is made of the same row alone, so that rows of several sequences can
 * stand side by side as those of one; in `between` rows look at each other.
 */
export interface RowParts {
  readonly before: readonly Node[];
  readonly between: readonly Node[];
  readonly after: readonly Node[];
}

type RowPart = keyof RowParts;

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

/** Which part each node is in that is not fixed. */
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
  const part = (own: RowPart): readonly Node[] => nodes.filter((n) => where.get(n.id) === own);
  const parts = { before: part('before'), between: part('between'), after: part('after') };
  return parts.between.length === 0 ? undefined : parts;
};
