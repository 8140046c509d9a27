import { BugError } from '../base/index.js';
import type { Graph } from './graph.js';
import { inferNode } from './infer.js';
import { type ValueId, type ValueType } from './value.js';

const wrong = (graph: Graph, message: string): BugError =>
  new BugError(`graph ${graph.name}: ${message}`, {
    code: 'GRAPH_INVALID',
    hint: 'A family or a pass made a graph that does not fit together. Please report it.',
  });

const sameType = (a: ValueType, b: ValueType): boolean =>
  a.dtype === b.dtype && a.shape.join() === b.shape.join() && a.axes.join() === b.axes.join();

/** Ids are unique, each node reads what stands before it, and every type is what inference gives. */
const checkNodes = (graph: Graph): Map<ValueId, ValueType> => {
  const known = new Map<ValueId, ValueType>();
  const define = (id: ValueId, type: ValueType): void => {
    if (known.has(id)) throw wrong(graph, `${id} is defined twice`);
    if (type.axes.length !== type.shape.length) throw wrong(graph, `${id} has axes without a name`);
    known.set(id, type);
  };
  for (const value of [...graph.inputs, ...graph.params]) define(value.id, value.type);
  for (const node of graph.nodes) {
    const operands = node.inputs.map((id) => {
      const type = known.get(id);
      if (!type) throw wrong(graph, `${node.id} (${node.op}) reads ${id}, which is not there yet`);
      return type;
    });
    const type = inferNode(node.op, node.attrs, operands);
    if (!sameType(type, node.type)) throw wrong(graph, `${node.id} (${node.op}) says another type than it has`);
    define(node.id, node.type);
  }
  return known;
};

const checkNames = (graph: Graph, known: ReadonlyMap<ValueId, ValueType>): void => {
  for (const kind of ['inputs', 'params', 'sites', 'outputs'] as const) {
    const names = graph[kind].map((v) => v.name);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) throw wrong(graph, `two ${kind} are named ${twice}`);
  }
  for (const { name, value } of [...graph.sites, ...graph.outputs])
    if (!known.has(value)) throw wrong(graph, `${name} names ${value}, which is not in the graph`);
};

/**
 * Checks a graph and returns it: every pass ends with this.
 * @throws BugError GRAPH_INVALID
 */
export const verify = (graph: Graph): Graph => {
  checkNames(graph, checkNodes(graph));
  return graph;
};
