import { wholeSites } from '../chosen-sites.js';
import { NeuronTally, type ActiveToken } from '../../analyses/neurons/index.js';
import { forward, prepareExperiment, type Prompt, type Variant } from '../../engine/index.js';
import type { Edit } from '../../language/index.js';
import type { ActiveTokenTold, NeuronsInput, NeuronsResult, NeuronTold } from '../../protocol/index.js';
import { cancelled, checkpoints } from '../cancel.js';
import { contextFor } from '../experiment.js';
import type { OpenModel } from '../open-model.js';
import type { OperationContext } from '../operation.js';
import { predictBytes } from '../predict-bytes.js';
import { chosenLayers } from './chosen-layers.js';
import { activationsAt, neuronLayers, neuronNamed, type NeuronLayerPlace, type NeuronPlace } from './neuron-layers.js';
import { neuronWords } from './neuron-words.js';
import { tellsWords, toldNeuron } from './one-prompt.js';

/** A file of prompts, and the model that reads it. */
export interface PromptSet {
  readonly model: OpenModel;
  readonly prompts: readonly Prompt[];
  readonly edits: readonly Edit[];
}

type Tallies = ReadonlyMap<NeuronLayerPlace, NeuronTally>;

const tokensIn = (prompt: Prompt, { stack }: NeuronLayerPlace): Prompt['tokens'] =>
  stack === 'encoder' ? (prompt.source?.tokens ?? prompt.tokens) : prompt.tokens;

const addPrompt = (
  tallies: Tallies,
  values: Parameters<typeof activationsAt>[1],
  { prompt, number }: { prompt: Prompt; number: number },
): void => {
  for (const [at, tally] of tallies)
    tokensIn(prompt, at).forEach((_, position) => {
      const { indices, activations } = activationsAt(at, values, position);
      indices.forEach((index, i) => tally.add(index, activations[i] ?? 0, { prompt: number, position }));
    });
};

/** Runs all prompts and tallies these layers. */
const tallied = async (
  { model, prompts, edits }: PromptSet,
  { layers, watched, most }: { layers: readonly NeuronLayerPlace[]; watched: readonly NeuronPlace[]; most: number },
  context: OperationContext,
): Promise<Tallies> => {
  const own = (at: NeuronLayerPlace): number[] => watched.filter((w) => w.at === at).map((w) => w.index);
  const tallies = new Map(layers.map((at) => [at, new NeuronTally(at.width * at.experts, own(at), most)]));
  const places = layers.flatMap((l) => [l.post, ...(l.chosen ? [l.chosen] : [])]);
  for (const [number, prompt] of prompts.entries()) {
    context.poll?.();
    if (context.signal.aborted) throw cancelled();
    context.progress?.({ done: number, total: prompts.length, what: 'prompts read' });
    const { variant } = await prepareExperiment(contextFor(model, prompt, 0), edits);
    predictBytes(wholeSites(places), prompt, { maxBytes: undefined });
    const { sites } = await forward(model, {
      ...{ variant, ids: [prompt.ids], capture: new Set(places.map((p) => p.name)), logits: 'none' },
      ...(prompt.source ? { source: [prompt.source.ids] } : {}),
      onSegment: checkpoints(context),
    });
    addPrompt(tallies, sites, { prompt, number });
  }
  return tallies;
};

/** Neurons that stand out: whose peak is most standard deviations above their mean. */
const standingOut = (tallies: Tallies, top: number): readonly NeuronPlace[] =>
  [...tallies]
    .flatMap(([at, tally]) =>
      Array.from({ length: tally.neurons }, (_, index) => {
        const { max, mean, std, tokens } = tally.of(index);
        return { place: { at, index }, by: tokens > 1 && std > 0 ? (max - mean) / std : -Infinity };
      }),
    )
    .sort((a, b) => b.by - a.by)
    .slice(0, top)
    .map(({ place }) => place);

const shownBefore = 8;

const toldToken = (
  prompts: readonly Prompt[],
  at: NeuronLayerPlace,
  { prompt, position, activation }: ActiveToken,
): ActiveTokenTold => {
  const own = prompts[prompt];
  const tokens = own ? tokensIn(own, at) : [];
  const before = tokens.slice(Math.max(0, position - shownBefore), position);
  return {
    prompt,
    position,
    text: tokens[position]?.text ?? '',
    before: before.map((t) => t.text).join(''),
    activation,
  };
};

const toldOver = (set: PromptSet, tallies: Tallies, place: NeuronPlace): Pick<NeuronTold, 'over' | 'tokens'> => {
  const tally = tallies.get(place.at);
  if (!tally) return {};
  const { mean, std, min, max, tokens } = tally.of(place.index);
  if (tokens === 0) return { over: { mean: 0, std: 0, min: 0, max: 0, tokens: 0 }, tokens: [] };
  return {
    over: { mean, std, min, max, tokens },
    tokens: tally.tops(place.index).map((t) => toldToken(set.prompts, place.at, t)),
  };
};

const wordsOf = async (
  model: OpenModel,
  variant: Variant,
  { neurons, most }: { neurons: readonly NeuronPlace[]; most: number },
) => {
  const writing = neurons.filter((n) => n.at.stack !== 'encoder');
  const found = await neuronWords(model, variant, { neurons: writing, most });
  return new Map(writing.map((n, i) => [n, found[i]]));
};

/**
 * Neurons over all tokens of a file of prompts: where those asked for, or those that stand out, are most active, and
 * which of each layer never, always equally, or extremely fire.
 */
export const neuronsOfPrompts = async (
  set: PromptSet,
  input: NeuronsInput,
  context: OperationContext,
): Promise<NeuronsResult> => {
  const { model, prompts, edits } = set;
  const [first] = prompts;
  if (!first) throw new RangeError('no prompts');
  const { variant, notes } = await prepareExperiment(contextFor(model, first, 0), edits);
  const all = neuronLayers(variant.order);
  const layers = chosenLayers(all, input.layer);
  const named = input.neurons.map((name) => neuronNamed(all, name));
  const tallies = await tallied(
    set,
    { layers: [...new Set([...layers, ...named.map((n) => n.at)])], watched: named, most: input.top },
    context,
  );
  const watched = named.length > 0 ? named : standingOut(tallies, input.top);
  const again = { layers: [...new Set(watched.map((n) => n.at))], watched, most: 5 };
  const seen = named.length > 0 ? tallies : await tallied(set, again, context);
  const words =
    tellsWords(model) && input.words > 0
      ? await wordsOf(model, variant, { neurons: watched, most: input.words })
      : new Map<NeuronPlace, undefined>();
  return {
    ...{ model: await model.summary(), prompts: prompts.length },
    neurons: watched.map((n) => ({ ...toldNeuron(n), ...words.get(n), ...toldOver(set, seen, n) })),
    layers: [...tallies].map(([at, tally]) => {
      const { neurons, rms, dead, constant, outliers } = tally.report();
      return { layer: at.layer, neurons, rms, dead: [...dead], constant: [...constant], outliers: [...outliers] };
    }),
    ...(notes.length > 0 ? { notes: [...notes] } : {}),
  };
};
