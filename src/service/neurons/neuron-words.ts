import { topTokens, FrozenPart, type Variant } from '../../engine/index.js';
import type { NeuronTold } from '../../protocol/index.js';
import { concat, float32, type Tensor } from '../../tensor/index.js';
import { scorePart } from '../circuits/layer-parts.js';
import type { OpenModel } from '../open-model.js';
import { textOf } from '../prompts.js';
import type { NeuronLayerPlace, NeuronPlace } from './neuron-layers.js';

type Weights = Pick<Variant, 'weights'>;
type Words = Required<Pick<NeuronTold, 'promotes' | 'suppresses'>>;

/** What each of some neurons writes into the stream, a row a neuron: columns of the second matrix. [1, row, model] */
const outputsOf = async (
  model: OpenModel,
  variant: Weights,
  { at, indices }: { readonly at: NeuronLayerPlace; readonly indices: readonly number[] },
): Promise<Tensor<'float32'>> => {
  const { segment } = at.instance;
  const given = at.chosen ? [`${at.id}.mlp.router`, `${at.id}.mlp.chosen`] : [];
  const part = await FrozenPart.open(model, variant, {
    segment,
    from: `${at.id}.mlp.post`,
    to: `${at.id}.mlp_out`,
    given,
  });
  try {
    const rows: Tensor<'float32'>[] = [];
    for (const index of indices) {
      if (!at.chosen) {
        const row = new Float32Array(at.width);
        row[index] = 1;
        rows.push(await part.linear(float32([1, 1, at.width], row)));
        continue;
      }
      rows.push(await part.linear(...oneExpert(at, index)));
    }
    return concat(rows, 1);
  } finally {
    await part.dispose();
  }
};

/** A neuron of an expert that a token is given first, with a router that wants no other. */
const oneExpert = (at: NeuronLayerPlace, index: number): Parameters<FrozenPart['linear']> => {
  const slots = Number(at.post.type.shape[2]);
  const expert = Math.floor(index / at.width);
  const row = new Float32Array(slots * at.width);
  row[index % at.width] = 1;
  const others = Array.from({ length: at.experts }, (_, e) => e).filter((e) => e !== expert);
  const router = new Float32Array(at.experts).fill(-30);
  router[expert] = 30;
  const given = new Map<string, Tensor>([
    [`${at.id}.mlp.router`, float32([1, 1, at.experts], router)],
    [`${at.id}.mlp.chosen`, float32([1, 1, slots], Float32Array.from([expert, ...others].slice(0, slots)))],
  ]);
  return [float32([1, 1, slots, at.width], row), { given }];
};

const told = (model: OpenModel, scores: Float32Array, most: number): Words => {
  const listed = (row: Float32Array, sign: number) =>
    topTokens(row, most).map(({ id }) => ({ id, text: textOf(model, id), value: sign * (row[id] ?? 0) }));
  return {
    promotes: listed(scores, 1),
    suppresses: listed(
      scores.map((x) => -x),
      -1,
    ),
  };
};

/**
 * The words whose scores neurons raise and lower most, straight through the final norm, its scale left out.
 * @returns in the order of the neurons
 * @source Geva et al. 2022, "Transformer Feed-Forward Layers Build Predictions by Promoting Concepts"
 */
export const neuronWords = async (
  model: OpenModel,
  variant: Weights,
  { neurons, most }: { readonly neurons: readonly NeuronPlace[]; readonly most: number },
): Promise<readonly Words[]> => {
  const { vocab } = model.program.facts;
  const scores = await scorePart(model, variant);
  const found = new Map<NeuronPlace, Words>();
  try {
    for (const at of new Set(neurons.map((n) => n.at))) {
      const own = neurons.filter((n) => n.at === at);
      const rows = await outputsOf(model, variant, { at, indices: own.map((n) => n.index) });
      const all = await scores.linear(rows);
      own.forEach((n, i) => found.set(n, told(model, all.data.slice(i * vocab, (i + 1) * vocab), most)));
    }
  } finally {
    await scores.dispose();
  }
  return neurons.flatMap((n) => found.get(n) ?? []);
};
