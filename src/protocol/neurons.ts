import { z } from 'zod';
import { scoreInput, scoreTold } from './components.js';
import { editInput, modelInput, promptInput } from './inputs.js';
import { modelSummary, tokenView } from './model.js';

export const neuronsInput = modelInput
  .extend(promptInput.shape)
  .extend(editInput.shape)
  .extend(scoreInput.shape)
  .extend({
    /** These neurons, `LAYER.NEURON`, of a mixture `LAYER.EXPERT.NEURON`; the strongest where left out. */
    neurons: z.array(z.string()).max(1000).default([]),
    /** Only of this layer. */
    layer: z
      .union([z.int().min(0), z.string()])
      .transform(String)
      .optional(),
    /** By what the strongest are chosen: what they give to the word's score, or how active they are. */
    by: z.enum(['contribution', 'activation']).default('contribution'),
    top: z.int().min(1).max(10_000).default(10),
    /** How many words each neuron is told to promote and to suppress. */
    words: z.int().min(0).max(100).default(5),
    out: z.string().min(1).optional(),
  });
export type NeuronsInput = z.infer<typeof neuronsInput>;

const wordValue = tokenView.extend({ value: z.number() });

/** A token of a prompt at which a neuron is active, with what stands before it. */
export const activeToken = z.object({
  prompt: z.int(),
  position: z.int(),
  text: z.string(),
  before: z.string(),
  activation: z.number(),
});
export type ActiveTokenTold = z.infer<typeof activeToken>;

/**
 * One neuron. `activation`: at the position that is looked at; `value`: what it gives to the score there. `promotes`,
 * `suppresses`: the words whose scores a positive activation raises and lowers most, by how much a unit does.
 */
export const neuronTold = z.object({
  name: z.string(),
  layer: z.string(),
  neuron: z.int(),
  expert: z.int().optional(),
  activation: z.number().optional(),
  value: z.number().optional(),
  promotes: z.array(wordValue).optional(),
  suppresses: z.array(wordValue).optional(),
  /** Over all tokens of a file of prompts. */
  over: z.object({ mean: z.number(), std: z.number(), min: z.number(), max: z.number(), tokens: z.int() }).optional(),
  tokens: z.array(activeToken).optional(),
});
export type NeuronTold = z.infer<typeof neuronTold>;

/** The neurons of a layer over all tokens: how many there are, and which never, always equally, or extremely fire. */
export const neuronLayer = z.object({
  layer: z.string(),
  neurons: z.int(),
  rms: z.number(),
  dead: z.array(z.int()),
  constant: z.array(z.int()),
  outliers: z.array(z.int()),
});
export type NeuronLayer = z.infer<typeof neuronLayer>;

export const neuronsResult = z.object({
  model: modelSummary,
  prompts: z.int(),
  tokens: z.array(tokenView).optional(),
  target: z.array(tokenView).optional(),
  position: z.int().optional(),
  score: scoreTold.optional(),
  neurons: z.array(neuronTold),
  /** Of a file of prompts. */
  layers: z.array(neuronLayer).optional(),
  notes: z.array(z.string()).optional(),
});
export type NeuronsResult = z.infer<typeof neuronsResult>;
