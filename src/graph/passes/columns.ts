import { bug } from '../../base/index.js';
import type { Graph, Node } from '../graph.js';
import type { OpName } from '../ops.js';
import type { ValueId } from '../value.js';
import { verify } from '../verify.js';
import { Additions } from './additions.js';
import { prune } from './prune.js';

/** The input that says which columns are wanted, int64 [chosen]. */
export const columnsInput = 'columns';

/** Operations that make each number of the numbers at the same place. */
const elementwise: ReadonlySet<OpName> = new Set(['Add', 'Sub', 'Mul', 'Div', 'Neg', 'Tanh', 'Cast', 'Where']);

/** Makes chosen columns of values out of chosen columns of what they are computed from, back to the weights. */
class ChosenColumns extends Additions {
  readonly #by = new Map<ValueId, Node>(this.graph.nodes.map((n) => [n.id, n]));
  #index: ValueId | undefined;

  of(id: ValueId): ValueId {
    const node = this.#by.get(id);
    const { shape, axes } = this.typeOf(id);
    const last = shape.length - 1;
    if (node?.op === 'Linear') {
      const [x, weight] = node.inputs;
      if (!x || !weight) throw bug(`${id} of ${this.graph.name} has no operands`);
      const axis = node.attrs.layout === 'out,in' ? 0 : 1;
      return this.op('Linear', node.attrs, [x, this.#gather(weight, axis, axes[last] ?? '')]);
    }
    if (!node || !elementwise.has(node.op)) return this.#gather(id, last, axes[last] ?? '');
    const inputs = node.inputs.map((input) =>
      this.typeOf(input).shape.at(-1) === shape[last] ? this.of(input) : input,
    );
    return this.op(node.op, node.attrs, inputs);
  }

  #gather(id: ValueId, axis: number, name: string): ValueId {
    this.#index ??= this.input(columnsInput, { dtype: 'int64', shape: ['chosen'], axes: [name] });
    return this.op('Gather', { axis }, [id, this.#index]);
  }
}

/**
 * An output of which only chosen places along the last axis are computed, of scores those of some tokens. The other
 * outputs are left out.
 */
export const chooseColumns = (graph: Graph, output: string): Graph => {
  const found = graph.outputs.find((o) => o.name === output);
  if (!found) throw bug(`graph ${graph.name} has no output ${output}`);
  const columns = new ChosenColumns(graph, 'columns');
  const value = columns.of(found.value);
  return prune(verify({ ...columns.applied(), sites: [], outputs: [{ name: output, value }] }));
};
