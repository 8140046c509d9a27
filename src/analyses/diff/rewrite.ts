import { Additions, rewired, type Graph, type Node, type ValueId } from '../../graph/index.js';

/** The one number of a constant; undefined where it is none, or has several. */
export const scalarOf = (graph: Graph, id: ValueId | undefined): number | undefined => {
  const node = graph.nodes.find((n) => n.id === id);
  return node?.op === 'Constant' && node.attrs.values.length === 1 ? node.attrs.values[0] : undefined;
};

/** Every reader of a node's result reads one of its operands instead: the operation is left out. */
export const bypassed = (graph: Graph, node: Node, operand: number): Graph => {
  const to = node.inputs[operand];
  return to === undefined ? graph : rewired(graph, { from: node.id, to, keep: new Set() });
};

/** A graph in which a node reads another number than the constant that it reads. `at`: which operand. */
export const withScalar = (
  graph: Graph,
  node: Node,
  { at, value }: { readonly at: number; readonly value: number },
): Graph => {
  const a = new Additions(graph, 'tried');
  const constant = a.op('Constant', { dtype: 'float32', shape: [], axes: [], values: [value] }, []);
  const grown = a.applied();
  const inputs = node.inputs.map((id, i) => (i === at ? constant : id));
  return rewired({ ...grown, nodes: grown.nodes.map((n) => (n.id === node.id ? { ...n, inputs } : n)) });
};

/** Rows of a value along an axis, in another order. */
export const permuted = (
  a: Additions,
  value: ValueId,
  { axis, order }: { readonly axis: number; readonly order: readonly number[] },
): ValueId => {
  const type = a.typeOf(value);
  const indices = a.op(
    'Constant',
    { dtype: 'int64', shape: [order.length], axes: [type.axes[axis] ?? 'row'], values: order },
    [],
  );
  return a.op('Gather', { axis }, [value, indices]);
};
