import { forward, isFrozenLinear, prepareExperiment, type Variant } from '../../engine/index.js';
import { carried } from '../../graph/index.js';
import type { NeuronsInput, NeuronsResult, NeuronTold } from '../../protocol/index.js';
import type { Tensor } from '../../tensor/index.js';
import { neuronContributionsAt } from '../../analyses/components/index.js';
import { checkpoints } from '../cancel.js';
import { scoresSite } from '../circuits/scores-site.js';
import { directPaths } from '../components/direct-paths.js';
import { positionOf, scoreOf } from '../components/score.js';
import type { Opened } from '../edited-model.js';
import { contextFor } from '../experiment.js';
import type { OpenModel } from '../open-model.js';
import type { OperationContext } from '../operation.js';
import { promptView } from '../prompts.js';
import { chosenLayers } from './chosen-layers.js';
import {
  activationsAt,
  neuronLayers,
  neuronName,
  neuronNamed,
  type NeuronLayerPlace,
  type NeuronPlace,
} from './neuron-layers.js';
import { neuronWords } from './neuron-words.js';

/** A neuron at the position that is looked at. */
interface Active extends NeuronPlace {
  readonly activation: number;
  readonly value?: number;
}

/** Whether what neurons give to words can be told. */
export const tellsWords = ({ program }: OpenModel): boolean =>
  program.facts.output !== 'labels' && isFrozenLinear({ segment: scoresSite(program), from: carried, to: 'logits' });

const valuesOf = async (
  { model, prompt }: Opened,
  variant: Variant,
  { layers, context }: { layers: readonly NeuronLayerPlace[]; context: OperationContext },
): Promise<ReadonlyMap<string, Tensor>> => {
  const names = layers.flatMap((l) => [l.post.name, ...(l.chosen ? [l.chosen.name] : [])]);
  const { sites } = await forward(model, {
    ...{ variant, ids: [prompt.ids], capture: new Set(names), logits: 'none', onSegment: checkpoints(context) },
    ...(prompt.source ? { source: [prompt.source.ids] } : {}),
  });
  return sites;
};

const activeIn = (
  layers: readonly NeuronLayerPlace[],
  {
    values,
    gives,
    position,
  }: { values: ReadonlyMap<string, Tensor>; gives: ReadonlyMap<string, Float64Array>; position: number },
): readonly Active[] =>
  layers.flatMap((at) => {
    const { indices, activations } = activationsAt(at, values, position);
    const own = gives.get(at.post.name);
    return Array.from(activations, (activation, i): Active => {
      const value = own?.[i];
      return { at, index: indices[i] ?? 0, activation, ...(value === undefined ? {} : { value }) };
    });
  });

const strength = (by: NeuronsInput['by'], { activation, value }: Active): number =>
  Math.abs(by === 'contribution' ? (value ?? 0) : activation);

/** The neurons asked for by name, or the strongest. */
const chosen = (
  all: readonly Active[],
  layers: readonly NeuronLayerPlace[],
  { by, top, neurons }: NeuronsInput,
): readonly Active[] => {
  if (neurons.length > 0)
    return neurons.map((name) => {
      const place = neuronNamed(layers, name);
      return all.find((n) => n.at === place.at && n.index === place.index) ?? { ...place, activation: 0 };
    });
  return [...all].sort((a, b) => strength(by, b) - strength(by, a)).slice(0, top);
};

export const toldNeuron = (place: NeuronPlace): Pick<NeuronTold, 'name' | 'layer' | 'neuron' | 'expert'> => ({
  ...{ name: neuronName(place), layer: place.at.layer, neuron: place.index % place.at.width },
  ...(place.at.experts === 1 ? {} : { expert: Math.floor(place.index / place.at.width) }),
});

const needsScore = (model: OpenModel, input: NeuronsInput): boolean =>
  tellsWords(model) && (input.by === 'contribution' || input.word !== undefined || input.against !== undefined);

/** What each neuron gives to the score, where that can be told. */
const givesOf = async (opened: Opened, input: NeuronsInput, context: OperationContext) => {
  if (!needsScore(opened.model, input)) return { gives: new Map<string, Float64Array>(), score: undefined };
  const score = await scoreOf(opened, input, context);
  const { sites } = await directPaths(opened, { expression: score.expression, neurons: true }, context);
  const own = sites.filter((s) => s.path.local === 'mlp.post');
  return {
    gives: new Map(own.map((s) => [s.place.name, neuronContributionsAt(s, score.told.position)])),
    score: score.told,
  };
};

const wordless =
  'by activation: an activation stands between stream and scores, so what neurons give to words is not told';

/** The strongest neurons at one position of one prompt, what they give, and which words they promote. */
export const neuronsOfPrompt = async (
  opened: Opened,
  input: NeuronsInput,
  context: OperationContext,
): Promise<NeuronsResult> => {
  const { model, prompt, edits } = opened;
  const { variant, notes } = await prepareExperiment(contextFor(model, prompt, 0), edits);
  const all = neuronLayers(variant.order).filter((l) => l.stack !== 'encoder');
  const layers = chosenLayers(all, input.layer);
  const words = tellsWords(model);
  const by = words ? input.by : 'activation';
  const { gives, score } = await givesOf(opened, input, context);
  const position = score?.position ?? positionOf(opened, input.position);
  const values = await valuesOf(opened, variant, { layers, context });
  const found = chosen(activeIn(layers, { values, gives, position }), all, { ...input, by });
  const said = words && input.words > 0 ? await neuronWords(model, variant, { neurons: found, most: input.words }) : [];
  const told = [...notes, ...(words ? [] : [wordless])];
  return {
    ...{ model: await model.summary(), prompts: 1, ...promptView(prompt), position },
    ...(score ? { score } : {}),
    neurons: found.map((n, i) => ({
      ...toldNeuron(n),
      activation: n.activation,
      ...(n.value === undefined ? {} : { value: n.value }),
      ...said[i],
    })),
    ...(told.length > 0 ? { notes: told } : {}),
  };
};
