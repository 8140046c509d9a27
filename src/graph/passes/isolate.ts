import { bug } from '../../base/index.js';
import { isAffine } from '../affine.js';
import { typesOf, type Graph, type Node } from '../graph.js';
import type { ValueId } from '../value.js';
import { ancestors, prune } from './prune.js';

/** A way through a graph, from one value to another. */
export interface Way {
  /** The value that is varied: a site, or the input of that name. */
  readonly from: string;
  /** What comes of it. */
  readonly to: ValueId;
  /** Sites that are given from outside instead of being computed. */
  readonly given?: readonly string[];
}

/** A part of a graph in which what comes out is affine in what is put in. */
export interface Isolated {
  /** Inputs `from`, `held ID` for each divisor, `given SITE`, and what else the way reads; output `to`. */
  readonly graph: Graph;
  /** From `from` to the divisors that are held, each an output `held ID`. */
  readonly divisors: Graph;
  readonly held: readonly ValueId[];
}

export const isolatedFrom = 'from';
export const isolatedTo = 'to';
export const heldName = (id: ValueId): string => `held ${id}`;
export const givenName = (site: string): string => `given ${site}`;

/** Makes values inputs: what computed them is left out. */
const asInputs = (graph: Graph, values: ReadonlyMap<ValueId, string>): Graph => {
  const types = typesOf(graph);
  const inputs = [...values].map(([id, name]) => {
    const type = types.get(id);
    if (!type) throw bug(`no value ${id} in graph ${graph.name}`);
    return { id, name, type };
  });
  return {
    ...graph,
    inputs: [...graph.inputs.filter((i) => !values.has(i.id)), ...inputs],
    nodes: graph.nodes.filter((n) => !values.has(n.id)),
  };
};

/** The nodes between, each with which of its operands depend on the value that is varied. */
const dependents = (
  graph: Graph,
  from: ValueId,
  to: ValueId,
): readonly { node: Node; depends: readonly boolean[] }[] => {
  const needed = ancestors(graph, [to]);
  const depending = new Set([from]);
  const found: { node: Node; depends: readonly boolean[] }[] = [];
  for (const node of graph.nodes) {
    const depends = node.inputs.map((id) => depending.has(id));
    if (!needed.has(node.id) || !depends.includes(true)) continue;
    depending.add(node.id);
    found.push({ node, depends });
  }
  return found;
};

const valueNamed = (graph: Graph, name: string): ValueId => {
  const value = graph.sites.find((s) => s.name === name)?.value ?? graph.inputs.find((i) => i.name === name)?.id;
  if (value === undefined) throw bug(`graph ${graph.name} has no ${name}`);
  return value;
};

/**
 * The part of a graph between two values, with all that divides by what is varied held: the scales of norms. The rest
 * of the way must be affine.
 * @returns the part, or the operator that stands in the way
 */
export const isolate = (whole: Graph, { from, to, given = [] }: Way): Isolated | { readonly obstacle: Node } => {
  const start = valueNamed(whole, from);
  const names = new Map([
    [start, isolatedFrom],
    ...given.map((site) => [valueNamed(whole, site), givenName(site)] as const),
  ]);
  const graph = asInputs({ ...whole, outputs: [], sites: [] }, names);
  const held = new Map<ValueId, string>();
  const cut = (): Graph => asInputs(graph, held);
  const divides = ({ node, depends }: { node: Node; depends: readonly boolean[] }): boolean =>
    node.op === 'Div' && depends[1] === true;
  for (;;) {
    const found = dependents(cut(), start, to).find(divides);
    const divisor = found?.node.inputs[1];
    if (divisor === undefined) break;
    held.set(divisor, heldName(divisor));
  }
  const obstacle = dependents(cut(), start, to).find(({ node, depends }) => !isAffine(node, depends))?.node;
  if (obstacle) return { obstacle };
  return {
    graph: prune({ ...cut(), name: `${whole.name}:part`, outputs: [{ name: isolatedTo, value: to }] }),
    divisors: prune({
      ...graph,
      name: `${whole.name}:divisors`,
      outputs: [...held].map(([value, name]) => ({ name, value })),
    }),
    held: [...held.keys()],
  };
};

/** The value that a cap keeps in bounds, cap · tanh(x / cap), and the cap; undefined where nothing does. Gemma 2 §2. */
export const beforeCap = (
  graph: Graph,
  capped: ValueId,
): { readonly value: ValueId; readonly cap: number } | undefined => {
  const nodes = new Map(graph.nodes.map((n) => [n.id, n]));
  const operand = (node: Node | undefined, op: Node['op'], among: readonly number[]): Node | undefined =>
    among.map((i) => nodes.get(node?.inputs[i] ?? ('' as ValueId))).find((n) => n?.op === op);
  const product = nodes.get(capped);
  if (product?.op !== 'Mul') return undefined;
  const bounded = operand(product, 'Tanh', [0, 1]);
  const quotient = operand(bounded, 'Div', [0]);
  const constant = operand(product, 'Constant', [0, 1]);
  const value = quotient?.inputs[0];
  if (!quotient || constant?.op !== 'Constant' || value === undefined) return undefined;
  return { value, cap: constant.attrs.values[0] ?? NaN };
};
