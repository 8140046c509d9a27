import fc from 'fast-check';
import type { Graph, OpName } from '../../../graph/index.js';
import type { Tensor } from '../../../tensor/index.js';
import { Draft, type Axis, type Kind } from './draft.js';
import { plans, type Picks } from './plans.js';
import type { PooledWeight } from './pooled-weights.js';

/** A graph with all that is needed to run it, and how far its results may be from exact ones. */
export interface GraphCase {
  readonly graph: Graph;
  readonly feeds: ReadonlyMap<string, Tensor>;
  readonly weights: ReadonlyMap<string, PooledWeight>;
  /** Of each output, the largest distance from float64's result that float32 explains; 0: equal. */
  readonly tolerances: ReadonlyMap<string, number>;
}

/** Numbers from which a graph is made: any of them makes one, so that a failing one shrinks. */
interface Recipe {
  readonly extents: Readonly<Record<string, number>>;
  readonly inputs: readonly { readonly kind: Kind; readonly axes: readonly number[] }[];
  readonly params: readonly number[];
  readonly steps: readonly { readonly op: OpName; readonly picks: Picks }[];
  readonly outputs: number;
  readonly seed: number;
}

const axes: readonly Axis[] = [
  ['batch', 'batch'],
  ['position', 'position'],
  ['key', 'key'],
  ['a', 2],
  ['b', 3],
  ['c', 5],
  ['one', 1],
];

const pick = fc.nat(4095);
const operators = Object.keys(plans) as OpName[];

const recipe: fc.Arbitrary<Recipe> = fc.record({
  extents: fc.record({
    batch: fc.integer({ min: 1, max: 2 }),
    position: fc.nat(3),
    key: fc.integer({ min: 1, max: 4 }),
  }),
  inputs: fc.array(
    fc.record({
      kind: fc.constantFrom<Kind[]>('signed', 'positive', 'integers', 'truths'),
      axes: fc.array(fc.nat(axes.length - 1), { maxLength: 4 }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  params: fc.array(fc.integer({ min: 3, max: 5 }), { maxLength: 2 }),
  steps: fc.array(fc.record({ op: fc.constantFrom(...operators), picks: fc.tuple(pick, pick, pick) }), {
    minLength: 1,
    maxLength: 12,
  }),
  outputs: fc.nat(65535),
  seed: fc.nat(99999),
});

const axesAt = (indices: readonly number[]): Axis[] => indices.flatMap((i) => [axes[i] ?? ['one', 1]]);

const begin = ({ extents, inputs, params, seed }: Recipe): Draft => {
  const draft = new Draft(extents, seed);
  for (const { kind, axes: own } of inputs) draft.input(kind, axesAt(own));
  for (const i of params) draft.param(axesAt([i]).map(([name, dim]) => [name, draft.extent(dim)] as const));
  return draft;
};

/** The graph of a recipe. Steps that nothing fits are left out; a graph has at least one node. */
const toCase = (made: Recipe): GraphCase => {
  const draft = begin(made);
  for (const { op, picks } of made.steps) plans[op](draft, picks);
  if (draft.size === 0) draft.add('Sigmoid', {}, [draft.input('signed', [['a', 2]])]);
  const last = draft.entries.findLastIndex((e) => e.id.startsWith('v'));
  const wanted = draft.entries.filter((_, i) => i === last || (made.outputs >> (i % 16)) % 2 === 1);
  return {
    graph: draft.finish(wanted),
    feeds: draft.feeds,
    weights: draft.weights,
    tolerances: new Map(wanted.map((entry, i) => [`out ${i}`, 2 * entry.range.error])),
  };
};

/**
 * Random well-typed graphs over all operators: 1 to about 12 nodes, open and fixed extents of 0 to 5, weights in both
 * layouts, several outputs. Numbers stay where float32 explains little.
 */
export const arbitraryGraph: fc.Arbitrary<GraphCase> = recipe.map(toCase);
