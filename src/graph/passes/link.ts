import type { Graph, GraphInput, Node, Output, Param, Site } from '../graph.js';
import type { ValueId } from '../value.js';
import { verify } from '../verify.js';

/** One graph of a chain, under the name that its ids and own inputs get. */
export interface Link {
  readonly name: string;
  readonly graph: Graph;
  /** What its inputs are called among the carried values, where not alike. */
  readonly reads?: Readonly<Record<string, string>>;
}

interface Chain {
  readonly inputs: Map<string, GraphInput>;
  readonly params: Map<string, Param>;
  readonly nodes: Node[];
  readonly sites: Site[];
  readonly outputs: Output[];
  /** The values handed on so far, by name. */
  readonly carried: Map<string, ValueId>;
}

const append = (chain: Chain, { name, graph, reads = {} }: Link, { carried, own }: LinkOptions): void => {
  const ids = new Map<ValueId, ValueId>();
  const renamed = (id: ValueId): ValueId => ids.get(id) ?? (`${name}/${id}` as ValueId);
  for (const input of graph.inputs) {
    const given = chain.carried.get(reads[input.name] ?? input.name);
    if (given !== undefined) {
      ids.set(input.id, given);
      continue;
    }
    const full = own.has(input.name) ? `${name}.${input.name}` : input.name;
    const known = chain.inputs.get(full) ?? { id: full as ValueId, name: full, type: input.type };
    chain.inputs.set(full, known);
    ids.set(input.id, known.id);
  }
  for (const param of graph.params) {
    const known = chain.params.get(param.name) ?? { ...param, id: param.name as ValueId };
    chain.params.set(param.name, known);
    ids.set(param.id, known.id);
  }
  for (const n of graph.nodes) chain.nodes.push({ ...n, id: renamed(n.id), inputs: n.inputs.map(renamed) });
  for (const s of graph.sites) {
    const partOf = s.partOf ? { partOf: { ...s.partOf, value: renamed(s.partOf.value) } } : {};
    chain.sites.push({ ...s, value: renamed(s.value), ...partOf });
  }
  for (const o of graph.outputs) {
    if (carried.has(o.name)) chain.carried.set(o.name, renamed(o.value));
    else chain.outputs.push({ name: own.has(o.name) ? `${name}.${o.name}` : o.name, value: renamed(o.value) });
  }
};

export interface LinkOptions {
  /** Names of values that graphs take from those before them. */
  readonly carried: ReadonlySet<string>;
  /** Inputs and outputs that each graph has for itself; they get the graph's name in front. All others are shared. */
  readonly own: ReadonlySet<string>;
}

/** Joins graphs that run one after the other into one. */
export const link = (name: string, links: readonly Link[], options: LinkOptions): Graph => {
  const chain: Chain = {
    inputs: new Map(),
    params: new Map(),
    nodes: [],
    sites: [],
    outputs: [],
    carried: new Map(),
  };
  for (const part of links) append(chain, part, options);
  const { nodes, sites, outputs } = chain;
  return verify({
    name,
    inputs: [...chain.inputs.values()],
    params: [...chain.params.values()],
    nodes,
    sites,
    outputs,
  });
};
