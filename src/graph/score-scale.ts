import { bug } from '../base/index.js';
import type { Graph, Node } from './graph.js';
import type { ValueId } from './value.js';

/** Operators between products of queries and keys and the scores that are made of them. */
const behind: ReadonlySet<Node['op']> = new Set(['Add', 'Mul', 'Tanh', 'Div', 'Reshape', 'Transpose']);
const form: ReadonlySet<Node['op']> = new Set(['Reshape', 'Transpose']);

/** What attention multiplies q·k by before anything is added: the number at the queries. @param scores the site's value */
export const scoreScale = (graph: Graph, scores: ValueId): number => {
  const nodes = new Map(graph.nodes.map((n) => [n.id, n]));
  const first = (node: Node | undefined): Node | undefined => nodes.get(node?.inputs[0] ?? ('' as ValueId));
  let node = nodes.get(scores);
  while (node && behind.has(node.op)) node = first(node);
  if (node?.op !== 'MatMul') throw bug(`graph ${graph.name} makes scores of no product`);
  let queries = first(node);
  while (queries && form.has(queries.op)) queries = first(queries);
  const factor = queries?.op === 'Mul' ? nodes.get(queries.inputs[1] ?? ('' as ValueId)) : undefined;
  return factor?.op === 'Constant' ? (factor.attrs.values[0] ?? 1) : 1;
};
