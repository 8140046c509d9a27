import { bug } from '../../base/index.js';
import { typesOf, type Graph, type GraphInput, type Node } from '../graph.js';
import type { CacheSpec } from '../program.js';
import type { ValueId, ValueType } from '../value.js';
import { verify } from '../verify.js';
import { Additions } from './additions.js';
import { fixedValues } from './downstream.js';
import { prune } from './prune.js';
import { rowParts, rowsInPlace, type RowParts } from './row-parts.js';

/**
 * The inputs that say where rows are, int64. `sequences` [batch, position] and `past` [batch, past]: which of the given
 * rows are those of each sequence. `chosen` [chosen]: which of the given rows come out; `mixed` [chosen]: where the same
 * ones are among the rows of the sequences, counted through.
 */
export const sideBySideInputs = {
  sequences: 'rows.sequences',
  past: 'rows.past',
  chosen: 'rows.chosen',
  mixed: 'rows.mixed',
} as const;

type IndexName = keyof typeof sideBySideInputs;

const indexShapes: Readonly<Record<IndexName, readonly string[]>> = {
  sequences: ['batch', 'position'],
  past: ['batch', 'past'],
  chosen: ['chosen'],
  mixed: ['chosen'],
};

/** Where a value's rows stand: side by side as they are given, in sequences, or side by side as they come out. */
type Place = 'rows' | 'sequences' | 'chosen';

const placeOf = { before: 'rows', between: 'sequences', after: 'chosen' } as const;

/** Carries the three parts of a graph over into one, gathering rows where they go from part to part. */
class SideBySide extends Additions {
  readonly #made: Readonly<Record<Place, Map<ValueId, ValueId>>> = {
    rows: new Map(),
    sequences: new Map(),
    chosen: new Map(),
  };
  readonly #indices = new Map<IndexName, ValueId>();
  readonly #given: ReadonlyMap<ValueId, GraphInput>;

  constructor(
    readonly whole: Graph,
    readonly cache: readonly CacheSpec[],
    readonly fixed: ReadonlySet<ValueId>,
  ) {
    const nodes = whole.nodes.filter((n) => fixed.has(n.id));
    super({ ...whole, inputs: [], nodes, sites: [], outputs: [] }, 'side');
    this.#given = new Map(whole.inputs.map((i) => [i.id, i]));
  }

  carry(parts: RowParts): this {
    for (const part of ['before', 'between', 'after'] as const)
      for (const node of parts[part]) this.#node(node, placeOf[part]);
    return this;
  }

  /** A value as the rows that come out. */
  output(id: ValueId): ValueId {
    return this.#value(id, 'chosen');
  }

  #node({ id, op, attrs, inputs }: Node, place: Place): void {
    const operands = inputs.map((input) => (this.fixed.has(input) ? input : this.#value(input, place)));
    this.#made[place].set(id, this.op(op, attrs, operands));
  }

  #value(id: ValueId, place: Place): ValueId {
    const made = this.#made[place].get(id) ?? this.#brought(id, place);
    this.#made[place].set(id, made);
    return made;
  }

  #brought(id: ValueId, place: Place): ValueId {
    const given = this.#given.get(id);
    if (place === 'rows') {
      if (!given) throw bug(`${id} of ${this.whole.name} is not among the given rows`);
      return this.input(given.name, rowsType(given.type));
    }
    if (place === 'chosen')
      return this.#made.sequences.has(id)
        ? this.#sideBySide(this.#gather(this.#value(id, 'sequences'), 'mixed'))
        : this.#sideBySide(this.#gather(this.#value(id, 'rows'), 'chosen'));
    if (!given || rowsInPlace(given.type)) return this.#gather(this.#value(id, 'rows'), 'sequences');
    const past = this.cache.find((c) => c.past === given.name);
    const fresh = past && this.whole.outputs.find((o) => o.name === past.fresh);
    return fresh ? this.#gather(this.#value(fresh.value, 'rows'), 'past') : this.input(given.name, given.type);
  }

  /** [a, b, ...] -> rows of it, counted through: [the index's axes, ...] */
  #gather(value: ValueId, name: IndexName): ValueId {
    const { shape, axes } = this.typeOf(value);
    const inner = shape.slice(2).map(Number);
    const flat = this.op('Reshape', { shape: [-1, ...inner], axes: ['position', ...axes.slice(2)] }, [value]);
    return this.op('Gather', { axis: 0 }, [flat, this.#index(name)]);
  }

  /** [chosen, ...] -> [1, chosen, ...] */
  #sideBySide(value: ValueId): ValueId {
    const { shape, axes } = this.typeOf(value);
    const inner = shape.slice(1).map(Number);
    return this.op('Reshape', { shape: [1, -1, ...inner], axes: ['batch', ...axes] }, [value]);
  }

  #index(name: IndexName): ValueId {
    const shape = indexShapes[name];
    const axes = shape.map((dim) => (dim === 'batch' ? 'batch' : 'position'));
    const known = this.#indices.get(name) ?? this.input(sideBySideInputs[name], { dtype: 'int64', shape, axes });
    this.#indices.set(name, known);
    return known;
  }
}

const rowsType = ({ dtype, shape, axes }: ValueType): ValueType => ({
  dtype,
  shape: [1, 'rows', ...shape.slice(2)],
  axes,
});

/** Do rows of sequences that are not given before come from the same place as the new ones? */
const pastIsOfRows = (graph: Graph, { before, between }: RowParts, cache: readonly CacheSpec[]): boolean => {
  const read = new Set(between.flatMap((n) => n.inputs));
  const isRead = (name: string): boolean => graph.inputs.some((i) => i.name === name && read.has(i.id));
  const made = new Set(before.map((n) => n.id));
  return cache
    .filter((c) => isRead(c.past))
    .every((c) => graph.outputs.some((o) => o.name === c.fresh && made.has(o.value)));
};

/**
 * A graph of which rows of many sequences go through products side by side, as those of one sequence do: [1, rows, ...].
 * Only where rows look at each other they are gathered into sequences, of which several may have rows in common.
 * @returns undefined where rows never look at each other, or something in the way takes more than a row
 */
export const sideBySide = (
  graph: Graph,
  { wanted, cache }: { readonly wanted: readonly string[]; readonly cache: readonly CacheSpec[] },
): Graph | undefined => {
  const parts = rowParts(graph, wanted);
  if (!parts || !pastIsOfRows(graph, parts, cache)) return undefined;
  const [fixed, types] = [fixedValues(graph), typesOf(graph)];
  const operands = [...parts.before, ...parts.after].flatMap((n) => n.inputs).filter((id) => !fixed.has(id));
  if (!operands.flatMap((id) => types.get(id) ?? []).every(rowsInPlace)) return undefined;
  const whole = new SideBySide(graph, cache, fixed).carry(parts);
  const outputs = graph.outputs
    .filter((o) => wanted.includes(o.name))
    .map(({ name, value }) => ({ name, value: whole.output(value) }));
  return prune(verify({ ...whole.applied(), name: `${graph.name}:side by side`, outputs }));
};
