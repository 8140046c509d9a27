import type { Json } from '../../../base/index.js';
import { rewired, type Graph, type Node } from '../../../graph/index.js';
import { scalarOf, withScalar } from '../rewrite.js';
import type { Mistake, Scene, Try } from './mistake.js';
import { placesOf, shown, type Place } from './places.js';

/** The field of a config that has this number and such a name. */
const fieldOf = ({ program }: Scene, name: RegExp, value: Json): string | undefined =>
  Object.entries(program.config).find(([field, v]) => name.test(field) && v === value)?.[0];

/** Which operand of a node is a number, and which number. */
const numberOf = (graph: Graph, node: Node): { readonly at: number; readonly value: number } | undefined => {
  for (const at of [1, 0]) {
    const value = scalarOf(graph, node.inputs[at]);
    if (value !== undefined) return { at, value };
  }
  return undefined;
};

const withNumber = (place: Place<'Add' | 'Mul' | 'Div'>, at: number, value: number): NonNullable<Try['segment']> => {
  return ({ graph }) => {
    const node = place.in(graph);
    return node && numberOf(graph, node)?.at === at ? { graph: withScalar(graph, node, { at, value }) } : undefined;
  };
};

const usualEpsilons = [1e-5, 1e-6, 1e-12, 1e-8, 1e-7, 1e-3, 0] as const;

/** Is this sum what a square root is taken of? */
const isBelowRoot = (graph: Graph, { id }: Node): boolean =>
  graph.nodes.some((n) => n.op === 'Sqrt' && n.inputs.includes(id));

/** Every epsilon of a segment that has this value, changed. */
const withEpsilon = (from: number, to: number): NonNullable<Try['segment']> => {
  return ({ graph }) => {
    const found = graph.nodes.filter(
      (n) => n.op === 'Add' && isBelowRoot(graph, n) && numberOf(graph, n)?.value === from,
    );
    return {
      graph: found.reduce(
        (next, node) => withScalar(next, node, { at: numberOf(graph, node)?.at ?? 1, value: to }),
        graph,
      ),
    };
  };
};

/** A small number added below a square root: of this norm, or of any. */
export const epsilon: Mistake = {
  id: 'epsilon',
  title: "a norm's epsilon",
  tries: (scene) =>
    placesOf(scene, 'Add').flatMap((place): Try[] => {
      const { graph } = scene.segment;
      const number = numberOf(graph, place.node);
      if (!number || !isBelowRoot(graph, place.node)) return [];
      const field = fieldOf(scene, /eps/i, number.value);
      return usualEpsilons
        .filter((e) => e !== number.value)
        .flatMap((e) => {
          const instead = `is ${shown(e)} instead of ${shown(number.value)}`;
          const edit = field === undefined ? {} : { edit: `config ${field} = ${shown(e)}` };
          return [
            { says: `the norms' epsilon ${instead}`, ...edit, beyond: true, segment: withEpsilon(number.value, e) },
            { says: `this norm's epsilon ${instead}`, segment: withNumber(place, number.at, e) },
          ];
        });
    }),
};

const whatScales = ({ segment, site }: Scene, node: Node): string => {
  if (segment.kind === 'embed') return "the embedding's scale";
  if (segment.kind === 'head') return "the logits' scale";
  if (/attn/.test(node.scope) || /attn/.test(site)) return "attention's scale";
  return 'the factor';
};

/** A factor left out, applied twice, or upside down. */
export const scale: Mistake = {
  id: 'scale',
  title: 'a constant factor',
  tries: (scene) =>
    [...placesOf(scene, 'Mul'), ...placesOf(scene, 'Div')].flatMap((place) => {
      const number = numberOf(scene.segment.graph, place.node);
      if (!number) return [];
      const { value, at } = number;
      const what = whatScales(scene, place.node);
      const tries: readonly (readonly [number, string])[] = [
        [1, `${what} ${shown(value)} is left out`],
        [value * value, `${what} ${shown(value)} is applied twice`],
        [1 / value, `${what} is ${shown(1 / value)} instead of ${shown(value)}`],
        [scene.program.facts.modelDim ** -0.5, `${what} is 1/√width instead of ${shown(value)}`],
      ];
      return tries
        .filter(([v]) => Number.isFinite(v) && v !== value)
        .map(([v, says]) => ({ says, segment: withNumber(place, at, v) }));
    }),
};

/** c · tanh(x / c): what it reads, and the whole of it. */
const capAround = (graph: Graph, tanh: Node): { readonly inner: Node; readonly outer: Node } | undefined => {
  const inner = graph.nodes.find((n) => n.id === tanh.inputs[0]);
  const outer = graph.nodes.find((n) => n.op === 'Mul' && n.inputs.includes(tanh.id));
  const isCap = inner?.op === 'Div' && numberOf(graph, inner) !== undefined;
  return isCap && outer && numberOf(graph, outer) ? { inner, outer } : undefined;
};

/** Scores or logits that are not capped. */
export const softCap: Mistake = {
  id: 'soft-cap',
  title: 'a soft cap left out',
  tries: (scene) =>
    placesOf(scene, 'Tanh').flatMap((place) => {
      const cap = capAround(scene.segment.graph, place.node);
      if (!cap) return [];
      const number = numberOf(scene.segment.graph, cap.outer)?.value ?? NaN;
      const what = scene.segment.kind === 'head' ? 'logits are' : "attention's scores are";
      const field = fieldOf(scene, /cap/i, number);
      return [
        {
          says: `${what} not capped at ${shown(number)}`,
          ...(field === undefined ? {} : { edit: `config ${field} = null` }),
          segment: ({ graph }) => {
            const node = place.in(graph);
            const there = node && capAround(graph, node);
            const to = there?.inner.inputs[0];
            if (!there || to === undefined) return undefined;
            return { graph: rewired(graph, { from: there.outer.id, to, keep: new Set() }) };
          },
        },
      ];
    }),
};
