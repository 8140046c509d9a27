import type { Condition } from '../engine/index.js';
import { Additions, verify, type Graph, type ValueId } from '../graph/index.js';
import { float16Max, masking } from './exceptions.js';

/** Does any number of a value lie beyond float16, masks' fill left out? One float32, 0 or more. */
const beyond = (a: Additions, id: ValueId): ValueId => {
  const constant = (value: number): ValueId =>
    a.op('Constant', { dtype: 'float32', shape: [], axes: [], values: [value] }, []);
  const size = a.op('Abs', {}, [id]);
  const large = a.op('Greater', {}, [size, constant(float16Max)]);
  const isNoFill = a.op('Less', {}, [size, constant(masking)]);
  const found = a.op('Cast', { to: 'float32' }, [a.op('And', {}, [large, isNoFill])]);
  const most = a.typeOf(id).axes.reduce<ValueId>((x, _, axis) => a.op('ReduceMax', { axis }, [x]), found);
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
    const values = graph.nodes.filter((n) => n.op !== 'Constant' && n.type.dtype === 'float32').map((n) => n.id);
    const found = values.map((id) => beyond(a, id)).reduce((sum, one) => a.op('Add', {}, [sum, one]));
    const whole = a.applied();
    const outputs = [...whole.outputs, { name: tag, value: found }];
    return { graph: verify({ ...whole, outputs }), output: tag, numbers: () => new Map() };
  },
};
