import type { InputRule, Program, Rope } from '../../../graph/index.js';
import { Additions, rewired, type Graph, type Node, type ValueId } from '../../../graph/index.js';
import { permuted } from '../rewrite.js';
import type { Mistake, Scene, Try } from './mistake.js';
import { placesOf, shown } from './places.js';

type RuleOf<K extends InputRule['rule']> = Extract<InputRule, { readonly rule: K }>;

/** The rules of one kind behind the suspects' inputs, by name. */
const rulesOf = <K extends InputRule['rule']>(
  { program, suspects }: Scene,
  kind: K,
): readonly (readonly [string, RuleOf<K>])[] =>
  suspects.inputs.flatMap(({ name }) => {
    const rule = program.inputs[name];
    return rule?.rule === kind ? [[name, rule as RuleOf<K>] as const] : [];
  });

/** The inputs with every rotary table of these frequencies made of others. */
const withRope =
  (from: Rope, to: Rope) =>
  (inputs: Program['inputs']): Program['inputs'] =>
    Object.fromEntries(
      Object.entries(inputs).map(([name, rule]) => [
        name,
        rule.rule === 'rope' && JSON.stringify(rule.rope) === JSON.stringify(from) ? { ...rule, rope: to } : rule,
      ]),
    );

const usualBases = [1e4, 5e5, 1e6, 1e5, 2.5e5, 5e6, 1e7, 8e6, 1.5e5, 2e6, 3e6, 1e3] as const;

/** Bases that are tried: usual ones, and any that the other side's config names. */
const basesFor = ({ other }: Scene, { base }: Rope): readonly number[] => {
  const named = Object.entries(other.config ?? {}).flatMap(([field, v]) =>
    /theta|base/.test(field) && typeof v === 'number' ? [v] : [],
  );
  return [...new Set<number>([...named, ...usualBases])].filter((b) => b !== base && b > 1);
};

const scalingsFor = ({ scaling }: Rope): readonly (readonly [string, Rope['scaling']])[] => [
  ...(scaling.kind === 'none' ? [] : [["RoPE's scaling is left out", { kind: 'none' }] as const]),
  ...[2, 4, 8, 16, 0.5].map(
    (factor) => [`positions are divided by ${shown(factor)} before RoPE`, { kind: 'linear', factor }] as const,
  ),
];

/** Rotations by other angles: right at short range, worse with distance. */
export const ropeFrequencies: Mistake = {
  id: 'rope-base',
  title: "RoPE's base or scaling",
  tries: (scene) => {
    const found = new Map(rulesOf(scene, 'rope').map(([, { rope }]) => [JSON.stringify(rope), rope]));
    const field = Object.keys(scene.program.config).find((f) => f === 'rope_theta');
    return [...found.values()].flatMap((rope): Try[] => [
      ...basesFor(scene, rope).map((base) => ({
        says: `RoPE's base is ${shown(base)} instead of ${shown(rope.base)}`,
        ...(field === undefined ? {} : { edit: `config ${field} = ${shown(base)}` }),
        inputs: withRope(rope, { ...rope, base }),
      })),
      ...scalingsFor(rope).map(([says, scaling]) => ({
        says,
        inputs: withRope(rope, { ...rope, scaling }),
      })),
    ]);
  },
};

/** A rotation in a graph: what is rotated, the operations that read it, and the result. */
interface Rotation {
  readonly from: ValueId;
  readonly readers: readonly Node[];
  readonly to: Node;
  readonly axis: number;
  readonly dim: number;
}

const rotationsIn = (graph: Graph): readonly Rotation[] => {
  const cosines = new Set(graph.inputs.filter((i) => /cos$/.test(i.name)).map((i) => i.id));
  return graph.nodes.flatMap((mul) => {
    const from =
      mul.op === 'Mul' && mul.inputs.some((i) => cosines.has(i)) ? mul.inputs.find((i) => !cosines.has(i)) : undefined;
    const to = graph.nodes.find((n) => n.op === 'Add' && n.inputs.includes(mul.id));
    if (from === undefined || !to) return [];
    const axis = mul.type.shape.length - 1;
    const readers = graph.nodes.filter(
      (n) => n.inputs.includes(from) && (n === mul || (n.op === 'Slice' && n.attrs.axis === axis)),
    );
    return [{ from, readers, to, axis, dim: Number(mul.type.shape[axis]) }];
  });
};

/** Pairs of neighbours are rotated instead of pairs of halves: the numbers reordered before, and back behind. */
const interleaved = (graph: Graph, { from, readers, to, axis, dim }: Rotation): Graph => {
  const half = dim / 2;
  const order = Array.from({ length: dim }, (_, i) => (i < half ? 2 * i : 2 * (i - half) + 1));
  const back = order.map((_, i) => order.indexOf(i));
  const a = new Additions(graph, 'interleaved');
  const before = permuted(a, from, { axis, order });
  const behind = permuted(a, to.id, { axis, order: back });
  const ids = new Set(readers.map((n) => n.id));
  const grown = a.applied();
  const nodes = grown.nodes.map((n) =>
    ids.has(n.id) ? { ...n, inputs: n.inputs.map((i) => (i === from ? before : i)) } : n,
  );
  return rewired({ ...grown, nodes }, { from: to.id, to: behind, keep: new Set(a.nodes.map((n) => n.id)) });
};

/** Two ways to pair the numbers that RoPE rotates; files of one are read as if they were of the other. */
export const ropePairs: Mistake = {
  id: 'rope-pairs',
  title: 'interleaved against half-split RoPE',
  tries: (scene) => {
    if (rulesOf(scene, 'rope').length === 0) return [];
    return [
      {
        says: 'RoPE rotates neighbours (interleaved) instead of halves',
        segment: ({ graph }) => {
          const count = rotationsIn(graph).length;
          if (count === 0) return undefined;
          let next = graph;
          for (let i = 0; i < count; i++) {
            const rotation = rotationsIn(next)[i];
            if (rotation) next = interleaved(next, rotation);
          }
          return { graph: next };
        },
      },
    ];
  },
};

/** Learned positions that begin at another row. */
export const positionOffset: Mistake = {
  id: 'position-offset',
  title: 'positions off by one',
  tries: (scene) =>
    rulesOf(scene, 'positions').flatMap(([name, rule]) =>
      [1, -1, 2, -2].map((by) => ({
        says: `positions begin ${Math.abs(by)} ${by > 0 ? 'later' : 'earlier'}`,
        inputs: (inputs) => ({ ...inputs, [name]: { ...rule, offset: (rule.offset ?? 0) + by } }),
      })),
    ),
};

/** A sliding window ignored, or of another width. */
export const slidingWindow: Mistake = {
  id: 'sliding-window',
  title: 'a sliding window ignored',
  tries: (scene) =>
    rulesOf(scene, 'causal').flatMap(([name, { window }]): Try[] => {
      if (window === undefined) return [];
      const widths: readonly (readonly [number | undefined, string])[] = [
        [undefined, `the sliding window of ${window} is ignored`],
        [window + 1, `the sliding window is ${window + 1} instead of ${window}`],
        [window - 1, `the sliding window is ${window - 1} instead of ${window}`],
      ];
      return widths
        .filter(([w]) => w === undefined || w > 0)
        .map(([w, says]) => ({
          says,
          inputs: (inputs) => ({ ...inputs, [name]: { rule: 'causal', ...(w === undefined ? {} : { window: w }) } }),
        }));
    }),
};

/** A change between heads and groups of heads. `into`: from heads to groups. */
interface Grouping {
  readonly node: Node;
  readonly into: boolean;
  readonly kv: number;
  readonly heads: number;
}

/** Where heads are gathered by the keys that they share, and where they are apart again. */
const groupings = (graph: Graph): readonly Grouping[] =>
  graph.nodes.flatMap((node): Grouping[] => {
    if (node.op !== 'Reshape') return [];
    const from = [...graph.nodes, ...graph.inputs].find((n) => n.id === node.inputs[0])?.type;
    const [was, is] = [from?.axes[1], node.type.axes[1]];
    const [before, after] = [Number(from?.shape[1]), Number(node.type.shape[1])];
    if (was === 'head' && is === 'kvHead') return [{ node, into: true, kv: after, heads: before }];
    return was === 'kvHead' && is === 'head' ? [{ node, into: false, kv: before, heads: after }] : [];
  });

/** Head h reads keys h mod n instead of ⌊h / group⌋: repeated as a whole instead of one by one. */
const tiled = (graph: Graph): Graph | undefined => {
  const found = groupings(graph);
  if (found.length === 0) return undefined;
  return found.reduce((next, { node, into, kv, heads }) => {
    const group = heads / kv;
    const order = Array.from({ length: heads }, (_, i) => (i % group) * kv + Math.floor(i / group));
    const back = order.map((_, i) => order.indexOf(i));
    const a = new Additions(next, 'tiled');
    const source = node.inputs[0];
    if (into && source !== undefined) {
      const reordered = permuted(a, source, { axis: 1, order });
      const grown = a.applied();
      return rewired({
        ...grown,
        nodes: grown.nodes.map((n) => (n.id === node.id ? { ...n, inputs: [reordered] } : n)),
      });
    }
    const apart = permuted(a, node.id, { axis: 1, order: back });
    return rewired(a.applied(), { from: node.id, to: apart, keep: new Set(a.nodes.map((n) => n.id)) });
  }, graph);
};

/** Grouped heads that share their keys in another order. */
export const groupOrder: Mistake = {
  id: 'group-order',
  title: 'grouped heads repeated in the wrong order',
  tries: (scene) => {
    if (
      !placesOf(scene, 'Reshape').some(({ node }) => groupings(scene.segment.graph).some((g) => g.node.id === node.id))
    )
      return [];
    return [
      {
        says: 'keys and values are repeated in the wrong order: head h reads those of h mod n',
        segment: ({ graph }) => {
          const next = tiled(graph);
          return next && { graph: next };
        },
      },
    ];
  },
};
