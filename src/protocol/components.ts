import { z } from 'zod';
import { editInput, modelInput } from './inputs.js';
import { onePrompt, wordInput } from './lens.js';
import { modelSummary, tokenView } from './model.js';

/** Of what parts are told: a word's score, or how far it is above another's. */
export const scoreInput = z.object({
  /** The likeliest where left out. */
  word: wordInput.optional(),
  /** A word whose score is taken off. */
  against: wordInput.optional(),
  /** Negative from the end; left out: the last, of a masked word its mask. */
  position: z.int().optional(),
});
export type ScoreInput = z.infer<typeof scoreInput>;

export const componentsInput = modelInput
  .extend(onePrompt.shape)
  .extend(editInput.shape)
  .extend(scoreInput.shape)
  .extend({
    /** How many neurons are told of, those that give most; 0 for none. */
    neurons: z.int().min(0).max(10_000).default(0),
    /** A file for the table: .csv, .json, or .svg and .png for a picture. */
    out: z.string().min(1).optional(),
  });
export type ComponentsInput = z.infer<typeof componentsInput>;

/**
 * One summand of a score. `layer` as edits name it: `3`, `decoder.3`, `3#2`; left out before the first block and behind the last.
 * `bias`: of the part of the model that `name` says.
 */
export const componentPart = z.object({
  part: z.enum(['embed', 'head', 'cross-head', 'mlp', 'bias']),
  name: z.string(),
  layer: z.string().optional(),
  head: z.int().optional(),
  value: z.number(),
});
export type ComponentPart = z.infer<typeof componentPart>;

/** The score that is told apart. `value`: before the cap, where scores are capped; `shown`: as the model gives it. */
export const scoreTold = z.object({
  position: z.int(),
  word: tokenView,
  against: tokenView.optional(),
  value: z.number(),
  shown: z.number(),
  cap: z.number().optional(),
});
export type ScoreTold = z.infer<typeof scoreTold>;

/** A neuron's summand: its activation times what a unit of it gives. `slot`: of a mixture. */
export const neuronPart = z.object({
  layer: z.string(),
  neuron: z.int(),
  slot: z.int().optional(),
  activation: z.number(),
  value: z.number(),
});
export type NeuronPart = z.infer<typeof neuronPart>;

/** A score as the sum of what each part of the model gives. `sum` is of all parts, `residual` what it misses `value` by. */
export const componentsResult = z.object({
  model: modelSummary,
  tokens: z.array(tokenView),
  target: z.array(tokenView).optional(),
  score: scoreTold,
  parts: z.array(componentPart),
  sum: z.number(),
  residual: z.number(),
  /** What the stream after each part gives, the final norm's scale held, with what norms and the head add. */
  accumulated: z.array(z.object({ after: z.string(), value: z.number() })),
  neurons: z.array(neuronPart).optional(),
  notes: z.array(z.string()).optional(),
});
export type ComponentsResult = z.infer<typeof componentsResult>;
