import { bug } from '../../base/index.js';
import type { Graph, Node } from '../graph.js';
import type { OpName } from '../ops.js';
import type { ValueId, ValueType } from '../value.js';
import { verify } from '../verify.js';
import { Additions } from './additions.js';
import { prune } from './prune.js';

/** The inputs that say which rows are wanted, int64 [chosen]: along axes of either name, fed the same. */
export const rowsInputs = ['rows.position', 'rows.query'] as const;

const holds = (dim: number | string): boolean => typeof dim === 'string' && dim.split('*').includes('position');

/** The axis along which a value has a row for each position; undefined where it has none, or rows in another form. */
const rowAxis = ({ shape }: ValueType): number | undefined => {
  const own = shape.flatMap((dim, a) => (holds(dim) ? [a] : []));
  const [a] = own;
  return own.length === 1 && a !== undefined && shape[a] === 'position' ? a : undefined;
};

const hasRows = ({ shape }: ValueType): boolean => shape.some(holds);

/** Operations that need all rows, or whose attributes say where rows are. */
const whole: ReadonlySet<OpName> = new Set(['ReshapeLike', 'ExpandLike', 'ScatterAdd', 'Part', 'TopK']);

/** Makes chosen rows of values out of chosen rows of what they are computed from, as far back as rows stay rows. */
class ChosenRows extends Additions {
  readonly #made = new Map<ValueId, ValueId>();
  readonly #by = new Map<ValueId, Node>(this.graph.nodes.map((n) => [n.id, n]));
  readonly #indices = new Map<string, ValueId>();

  of(id: ValueId): ValueId {
    const made = this.#made.get(id) ?? this.#make(id);
    this.#made.set(id, made);
    return made;
  }

  #make(id: ValueId): ValueId {
    const node = this.#by.get(id);
    const type = this.typeOf(id);
    const axis = rowAxis(type);
    if (axis === undefined) throw bug(`${id} of ${this.graph.name} has no rows to choose`);
    if (!node || !this.#passes(node)) return this.op('Gather', { axis }, [id, this.#index(type.axes[axis] ?? '')]);
    const inputs = node.inputs.map((input) => (hasRows(this.typeOf(input)) ? this.of(input) : input));
    return this.op(node.op, node.attrs, inputs);
  }

  /** Whether each row of what a node gives is made of the same row of its operands. */
  #passes({ op, attrs, inputs }: Node): boolean {
    if (whole.has(op)) return false;
    const along = 'axis' in attrs && typeof attrs.axis === 'number' ? attrs.axis : undefined;
    return inputs.every((id) => {
      const type = this.typeOf(id);
      if (!hasRows(type)) return true;
      const axis = rowAxis(type);
      const own = along !== undefined && along < 0 ? along + type.axes.length : along;
      return axis !== undefined && (op === 'Gather' || axis !== own);
    });
  }

  #index(axis: string): ValueId {
    const name = `rows.${axis}`;
    const known = this.#indices.get(name) ?? this.input(name, { dtype: 'int64', shape: ['chosen'], axes: [axis] });
    this.#indices.set(name, known);
    return known;
  }
}

/**
 * An output of chosen rows alone: what only other rows need is not computed. The other outputs are left out.
 * @throws BugError INTERNAL where the output has no rows
 */
export const chooseRows = (graph: Graph, output: string): Graph => {
  const found = graph.outputs.find((o) => o.name === output);
  if (!found) throw bug(`graph ${graph.name} has no output ${output}`);
  const rows = new ChosenRows(graph, 'rows');
  const value = rows.of(found.value);
  return verify(prune({ ...rows.applied(), sites: graph.sites, outputs: [{ name: output, value }] }));
};
