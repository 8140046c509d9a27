import type { Condition } from '../engine/index.js';
import { Additions, verify, type Graph, type ValueId } from '../graph/index.js';
import { float16Max, masking } from './exceptions.js';

/** Values that may hold a mask's fill: the masks, and what is made of them up to a softmax. */
const filled = ({ inputs, nodes }: Graph): ReadonlySet<ValueId> => {
  const all = new Set(inputs.filter((i) => i.name.startsWith('mask')).map((i) => i.id));
  for (const { id, op, inputs: read } of nodes) if (op !== 'Softmax' && read.some((r) => all.has(r))) all.add(id);
  return all;
};

/** The numbers whose sizes are judged: of what may hold a fill, the fill as 0. */
const judged = (a: Additions, id: ValueId, hasFill: boolean): ValueId => {
  const size = a.op('Abs', {}, [id]);
  if (!hasFill) return size;
  const constant = (value: number): ValueId =>
    a.op('Constant', { dtype: 'float32', shape: [], axes: [], values: [value] }, []);
  return a.op('Where', {}, [a.op('Less', {}, [size, constant(masking)]), size, constant(0)]);
};

/** The greatest of a value's numbers; its last axis, which is long, goes first. */
const greatest = (a: Additions, id: ValueId): ValueId => {
  const axes = [...a.typeOf(id).axes.keys()].reverse();
  const most = axes.reduce<ValueId>((x, axis) => a.op('ReduceMax', { axis }, [x]), id);
  return a.op('Reshape', { shape: [], axes: [] }, [most]);
};

/**
 * That a number inside a segment lies beyond float16, as one more output of it: such a number may be gone again in what
 * the segment hands on.
 */
export const overflowInside: Condition = {
  key: 'overflow16',
  lower: (graph: Graph, tag: string) => {
    const a = new Additions(graph, tag);
    const fills = filled(graph);
    const values = graph.nodes.filter((n) => n.op !== 'Constant' && n.type.dtype === 'float32').map((n) => n.id);
    const bound = a.op('Constant', { dtype: 'float32', shape: [], axes: [], values: [float16Max] }, []);
    const beyond = values.map((id) => a.op('Greater', {}, [greatest(a, judged(a, id, fills.has(id))), bound]));
    const found = beyond.reduce((any, one) => a.op('Or', {}, [any, one]));
    const whole = a.applied();
    const outputs = [...whole.outputs, { name: tag, value: found }];
    return { graph: verify({ ...whole, outputs }), output: tag, numbers: () => new Map() };
  },
};
