import type { Condition } from '../engine/index.js';
import { Additions, ancestors, verify, type Graph, type Node, type OpName, type ValueId } from '../graph/index.js';
import { float16Max, masking } from './exceptions.js';

/** What only hands numbers on, or makes none larger than those that it reads: beyond float16 only where those are. */
const bounded: ReadonlySet<OpName> = new Set<OpName>([
  ...(['Slice', 'Reshape', 'ReshapeLike', 'Transpose', 'Concat', 'Part', 'ExpandLike'] as const),
  ...(['Neg', 'Abs', 'Relu', 'Gelu', 'Min', 'Max', 'ReduceMax', 'ReduceMin'] as const),
  ...(['Softmax', 'Sigmoid', 'Tanh', 'Erf', 'Sqrt'] as const), // of what is beyond float16 the root is not
]);

/** Values that may hold a mask's fill: the masks, and what is made of them up to a softmax. */
const filled = ({ inputs, nodes }: Graph): ReadonlySet<ValueId> => {
  const all = new Set(inputs.filter((i) => i.name.startsWith('mask')).map((i) => i.id));
  for (const { id, op, inputs: read } of nodes) if (op !== 'Softmax' && read.some((r) => all.has(r))) all.add(id);
  return all;
};

/**
 * The values in which such a number can first arise, of those that a run computes, by how many linears come before:
 * what lies between two linears may be run by itself, and should not have to hand these values on.
 */
const judged = (graph: Graph): ReadonlyMap<number, readonly Node[]> => {
  const needed = ancestors(
    graph,
    graph.outputs.map((o) => o.value),
  );
  const params = new Set(graph.params.map((p) => p.id));
  const depths = new Map<ValueId, number>();
  const groups = new Map<number, Node[]>();
  for (const node of graph.nodes) {
    const before = Math.max(0, ...node.inputs.map((id) => depths.get(id) ?? 0));
    const depth = before + (node.op === 'Linear' ? 1 : 0);
    depths.set(node.id, depth);
    const isNew = !bounded.has(node.op) || node.inputs.some((id) => params.has(id));
    if (needed.has(node.id) && isNew && node.op !== 'Constant' && node.type.dtype === 'float32')
      groups.set(depth, [...(groups.get(depth) ?? []), node]);
  }
  return groups;
};

class Judging {
  readonly #a: Additions;

  constructor(
    readonly graph: Graph,
    readonly tag: string,
  ) {
    this.#a = new Additions(graph, tag);
  }

  /** The graph that also tells, as an output, whether there is such a number. */
  judged(): Graph {
    const fills = filled(this.graph);
    const found = [...judged(this.graph).values()].map((nodes) => this.#beyond(nodes, fills));
    const none = (): ValueId => this.#a.op('Constant', { dtype: 'bool', shape: [], axes: [], values: [0] }, []);
    const value = found.length === 0 ? none() : found.reduce((any, one) => this.#a.op('Or', {}, [any, one]));
    const whole = this.#a.applied();
    return verify({ ...whole, outputs: [...whole.outputs, { name: this.tag, value }] });
  }

  #constant(value: number): ValueId {
    return this.#a.op('Constant', { dtype: 'float32', shape: [], axes: [], values: [value] }, []);
  }

  /** Is any number of these values beyond float16, upward or downward? */
  #beyond(nodes: readonly Node[], fills: ReadonlySet<ValueId>): ValueId {
    const rows = nodes.map(({ id }) => this.#row(fills.has(id) ? this.#withoutFill(id) : id));
    const most = this.#of('ReduceMax', rows);
    const least = this.#of('ReduceMin', rows);
    const above = this.#a.op('Greater', {}, [most, this.#constant(float16Max)]);
    return this.#a.op('Or', {}, [above, this.#a.op('Less', {}, [least, this.#constant(-float16Max)])]);
  }

  /** The numbers of a value, one behind the other. */
  #row(id: ValueId): ValueId {
    return this.#a.op('Reshape', { shape: [1, -1], axes: ['value', 'number'] }, [id]);
  }

  /** The greatest, or least, number of all. */
  #of(by: 'ReduceMax' | 'ReduceMin', rows: readonly ValueId[]): ValueId {
    const each = rows.map((row) => this.#a.op(by, { axis: 1 }, [row]));
    const all = this.#a.op('Concat', { axis: 0 }, each);
    return this.#a.op('Reshape', { shape: [], axes: [] }, [this.#a.op(by, { axis: 0 }, [all])]);
  }

  /** The fill of masked scores as 0. */
  #withoutFill(id: ValueId): ValueId {
    const isNumber = this.#a.op('Less', {}, [this.#a.op('Abs', {}, [id]), this.#constant(masking)]);
    return this.#a.op('Where', {}, [isNumber, id, this.#constant(0)]);
  }
}

/**
 * That a number inside a segment lies beyond float16, as one more output of it: such a number may be gone again in what
 * the segment hands on.
 */
export const overflowInside: Condition = {
  key: 'overflow16',
  lower: (graph: Graph, tag: string) => ({
    graph: new Judging(graph, tag).judged(),
    output: tag,
    numbers: () => new Map(),
  }),
};
