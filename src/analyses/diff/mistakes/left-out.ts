import type { Graph, Node, ValueId } from '../../../graph/index.js';
import { bypassed, scalarOf } from '../rewrite.js';
import type { Mistake, Scene, Try } from './mistake.js';
import { nameOf, placesOf, type Place } from './places.js';

/** Does this value come from a weight alone? */
const isWeight = (graph: Graph, id: ValueId): boolean => {
  if (graph.params.some((p) => p.id === id)) return true;
  const node = graph.nodes.find((n) => n.id === id);
  return (
    node !== undefined && node.inputs.length > 0 && node.inputs.every((i) => isWeight(graph, i) || isConstant(graph, i))
  );
};
const isConstant = (graph: Graph, id: ValueId): boolean => graph.nodes.some((n) => n.id === id && n.op === 'Constant');

/** What is missing when an operand is. */
const missing = (graph: Graph, op: 'Add' | 'Mul', id: ValueId): string => {
  const name = nameOf(graph, id) ?? 'an operand';
  if (name.startsWith('mask.')) return 'the mask is left out: every token sees all others';
  if (isWeight(graph, id)) return op === 'Add' ? `the bias ${name} is left out` : `the gain ${name} is left out`;
  return op === 'Add' ? `${name} is not added` : `${name} is not multiplied with`;
};

const withoutOperand = (place: Place<'Add' | 'Mul'>, keep: number): NonNullable<Try['segment']> => {
  return ({ graph }) => {
    const node = place.in(graph);
    return node ? { graph: bypassed(graph, node, keep) } : undefined;
  };
};

const triesAt = (scene: Scene, place: Place<'Add' | 'Mul'>): readonly Try[] => {
  const { graph } = scene.segment;
  const node: Node = place.node;
  if (node.inputs.some((id) => scalarOf(graph, id) !== undefined)) return [];
  return node.inputs.map((dropped, i) => ({
    says: missing(graph, node.op === 'Mul' ? 'Mul' : 'Add', dropped),
    segment: withoutOperand(place, 1 - i),
  }));
};

/** A bias, a gain, a mask, or a summand of the stream that the other side does not have. */
export const leftOut: Mistake = {
  id: 'left-out',
  title: 'a bias, gain, mask or summand left out',
  tries: (scene) => [...placesOf(scene, 'Add'), ...placesOf(scene, 'Mul')].flatMap((place) => triesAt(scene, place)),
};
