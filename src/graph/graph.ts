import type { OpAttrs, OpName } from './ops.js';
import type { ValueId, ValueType } from './value.js';

/** One operation. Its one output has the node's own id. */
export type Node<K extends OpName = OpName> = {
  [Op in K]: {
    readonly id: ValueId;
    readonly op: Op;
    readonly attrs: OpAttrs[Op];
    readonly inputs: readonly ValueId[];
    /** Where in the model it stands: `blocks.3.attn`. */
    readonly scope: string;
    readonly type: ValueType;
  };
}[K];

/** A value supplied from outside at each run: token ids, masks, tables, the hidden state, numbers of edits. */
export interface GraphInput {
  readonly id: ValueId;
  readonly name: string;
  readonly type: ValueType;
}

/** A weight, by its name in the file. Its shape is static and in the file's layout; its type is what computing sees. */
export interface Param {
  readonly id: ValueId;
  readonly name: string;
  readonly type: ValueType;
}

/** A named value that can be read and changed. */
export interface Site {
  readonly name: string;
  readonly value: ValueId;
  /** Costs enough that wildcards leave it out, and nothing computes it unless asked. */
  readonly onRequest: boolean;
  /** A value that this site is one summand of: changing the site changes that value by as much, summed over `axis`. */
  readonly partOf?: { readonly value: ValueId; readonly axis: number };
}

export interface Output {
  readonly name: string;
  readonly value: ValueId;
}

/** A computation as data: nodes in an order in which each comes after what it reads. Never changed, only rewritten. */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly GraphInput[];
  readonly params: readonly Param[];
  readonly nodes: readonly Node[];
  readonly sites: readonly Site[];
  readonly outputs: readonly Output[];
}

/** The type of every value of a graph. */
export const typesOf = (graph: Graph): Map<ValueId, ValueType> =>
  new Map([...graph.inputs, ...graph.params, ...graph.nodes].map((v) => [v.id, v.type]));

/** An id that the graph does not use yet: `base`, or `base.1`, `base.2` ... */
export const freshId = (used: ReadonlySet<string>, base: string): ValueId => {
  let id = base;
  for (let n = 1; used.has(id); n++) id = `${base}.${n}`;
  return id as ValueId;
};

/** A node without its type, as passes make them. */
export type Untyped = { [K in OpName]: Omit<Node<K>, 'type'> }[OpName];
