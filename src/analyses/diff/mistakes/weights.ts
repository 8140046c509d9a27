import type { Graph, Param, Segment } from '../../../graph/index.js';
import { float32, type Tensor } from '../../../tensor/index.js';
import type { Mistake, Scene, SegmentChange, Try } from './mistake.js';
import { sameParam } from './places.js';

const changed = (name: string, tensor: Tensor): SegmentChange => ({ weights: new Map([[name, tensor]]) });

const transposedOf = ({ shape, data }: Tensor<'float32'>): Tensor<'float32'> => {
  const [rows = 0, columns = 0] = shape;
  const out = new Float32Array(data.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = data[r * columns + c] ?? 0;
  return float32([columns, rows], out);
};

const isSquare = ({ type: { shape } }: Param): boolean => shape.length === 2 && shape[0] === shape[1];

/** A matrix the wrong way round; only a square one can be without an error at once. */
export const transposed: Mistake = {
  id: 'transposed',
  title: 'a matrix transposed',
  tries: (scene) =>
    scene.suspects.params.filter(isSquare).map((param) => ({
      says: `${param.name} is transposed`,
      segment: async ({ graph }) => {
        const there = sameParam(scene, param, graph);
        return there && changed(there.name, transposedOf(await scene.read(there.name)));
      },
    })),
};

const shiftedBy = (tensor: Tensor<'float32'>, by: number): Tensor<'float32'> =>
  float32(
    tensor.shape,
    tensor.data.map((x) => x + by),
  );

/** A gain's shift by one, in words. */
const offsetSays = (by: number, whose: string): string =>
  by < 0 ? `one is not added to ${whose}` : `one is added to ${whose}`;

/** Is this the gain of a norm: what its result is multiplied with, as it is or plus one? */
const isGain = (graph: Graph, { id, type }: Param): boolean => {
  const readers = graph.nodes.filter((n) => n.inputs.includes(id));
  const behind = readers.flatMap((n) => (n.op === 'Add' ? graph.nodes.filter((m) => m.inputs.includes(n.id)) : [n]));
  return type.shape.length === 1 && behind.some((n) => n.op === 'Mul');
};

/** Norms whose files hold the gain minus one, read as if they held the gain, or the other way round. */
export const gainOffset: Mistake = {
  id: 'gain-offset',
  title: "a norm's gain without its +1",
  tries: (scene) => {
    const gains = scene.suspects.params.filter((p) => isGain(scene.segment.graph, p));
    const every = (by: number): Try => ({
      says: offsetSays(by, 'the gain of any norm'),
      beyond: true,
      segment: async ({ graph }) => {
        const weights = new Map<string, Tensor>();
        for (const param of graph.params.filter((p) => isGain(graph, p)))
          weights.set(param.name, shiftedBy(await scene.read(param.name), by));
        return { weights };
      },
    });
    const one = (param: Param, by: number): Try => ({
      says: offsetSays(by, `the gain ${param.name}`),
      segment: async ({ graph }) => {
        const there = sameParam(scene, param, graph);
        return there && changed(there.name, shiftedBy(await scene.read(there.name), by));
      },
    });
    return gains.length === 0 ? [] : [-1, 1].flatMap((by) => [every(by), ...gains.map((param) => one(param, by))]);
  },
};

const swap = (scene: Scene, [one, other]: readonly [Param, Param]): Try => ({
  says: `${one.name} and ${other.name} are swapped`,
  segment: async ({ graph }) => {
    const [a, b] = [sameParam(scene, one, graph), sameParam(scene, other, graph)];
    if (!a || !b) return undefined;
    return {
      weights: new Map([
        [a.name, await scene.read(b.name)],
        [b.name, await scene.read(a.name)],
      ]),
    };
  },
});

/** Two weights of one shape in each other's place, such as gate and up. */
export const swapped: Mistake = {
  id: 'swapped',
  title: 'two weights swapped',
  tries: (scene) => {
    const { params } = scene.segment.graph;
    const pairs = scene.suspects.params.flatMap((one) =>
      params
        .filter((p) => p.id !== one.id && p.type.shape.join() === one.type.shape.join())
        .map((p) => [one, p] as const),
    );
    const key = ([a, b]: readonly [Param, Param]): string => [a.name, b.name].sort().join();
    return [...new Map(pairs.map((pair) => [key(pair), pair])).values()].map((pair) => swap(scene, pair));
  },
};

/** Layers whose weights are tried: all of a small model, else the neighbours and the first. */
const candidates = ({ program, segment }: Scene): readonly Segment[] => {
  const { layer = 0, stack, graph } = segment;
  const others = program.segments.filter((s) => s.kind === 'block' && s.stack === stack && s !== segment);
  const numbers = graph.params.reduce((n, p) => n + p.type.shape.reduce<number>((m, d) => m * Number(d), 1), 0);
  if (numbers * others.length < 2 ** 26) return others;
  return others.filter((s) => s.layer === 0 || Math.abs((s.layer ?? 0) - layer) === 1);
};

/** A layer that was given another one's weights. */
export const otherLayer: Mistake = {
  id: 'other-layer',
  title: "another layer's weights",
  tries: (scene) => {
    const { segment } = scene;
    if (segment.kind !== 'block') return [];
    return candidates(scene).map((from) => ({
      says: `layer ${segment.layer ?? ''} has the weights of layer ${from.layer ?? ''}`,
      segment: async (there) => {
        if (there.id !== segment.id) return undefined;
        const weights = new Map<string, Tensor>();
        for (const param of segment.graph.params) {
          const source = sameParam(scene, param, from.graph);
          if (source) weights.set(param.name, await scene.read(source.name));
        }
        return { weights };
      },
    }));
  },
};

/** The head scores with the embedding though it has a matrix of its own. */
export const tiedHead: Mistake = {
  id: 'tied-head',
  title: 'a head tied by mistake',
  tries: (scene) => {
    const { embedding, unembedding } = scene.program.facts;
    const isThere = scene.suspects.params.some((p) => p.name === unembedding);
    if (!isThere || embedding === unembedding) return [];
    return [
      {
        says: `the head scores with the embedding ${embedding} instead of ${unembedding}`,
        segment: async ({ kind }) => (kind === 'head' ? changed(unembedding, await scene.read(embedding)) : undefined),
      },
    ];
  },
};

/** The other side's own weight, where it can be read: what is different is then the weight and nothing else. */
export const otherWeight: Mistake = {
  id: 'weight',
  title: 'another weight',
  tries: (scene) => {
    const { read } = scene.other;
    if (!read) return [];
    return scene.suspects.params.map((param) => ({
      says: `${param.name} holds other numbers`,
      segment: async ({ graph }) => {
        const there = sameParam(scene, param, graph);
        const theirs = there && (await read(there.name));
        return there && theirs ? changed(there.name, theirs) : undefined;
      },
    }));
  },
};
