import { z } from 'zod';
import { editInput, generationInput, modelInput, promptInput, recordInput } from './inputs.js';
import { modelSummary, scoredToken, tokenView } from './model.js';

export const runInput = modelInput
  .extend(promptInput.shape)
  .extend(editInput.shape)
  .extend(generationInput.shape)
  .extend(recordInput.shape)
  .extend({
    /** Sites whose values the recording keeps at each step: globs, separated by commas. */
    recordSites: z.string().optional(),
    /** How many of the likeliest next tokens, of the words at each mask, or of the labels are listed. */
    top: z.int().min(0).default(10),
    /** List the distribution before and after each rule of sampling. */
    stages: z.boolean().default(false),
  });
export type RunInput = z.infer<typeof runInput>;

/** Why generation ended. */
export const stopReason = z.enum(['none', 'eos', 'length', 'context', 'cancelled']);
export type StopReason = z.infer<typeof stopReason>;

/** The likeliest tokens after a rule of sampling, and how many it left. */
export const stageView = z.object({
  name: z.string(),
  setting: z.number().nullable(),
  left: z.int(),
  top: z.array(scoredToken),
});
export type StageView = z.infer<typeof stageView>;

export const stepView = z.object({ step: z.int(), id: z.int(), text: z.string(), stages: z.array(stageView) });
export type StepView = z.infer<typeof stepView>;

/** The likeliest words at a masked position. */
export const maskView = z.object({ position: z.int(), next: z.array(scoredToken) });
export type MaskView = z.infer<typeof maskView>;

/**
 * One run. `next`: at the last prompt position, before sampling; empty where the model scores something else: `masks`
 * of a model that finds words, `labels` of a classifier, likeliest first. `generated` excludes the prompt.
 */
export const runResult = z.object({
  model: modelSummary,
  tokens: z.array(tokenView),
  /** What the decoder of an encoder-decoder begins with; `tokens` are then the source's. */
  target: z.array(tokenView).optional(),
  next: z.array(scoredToken),
  masks: z.array(maskView).optional(),
  labels: z.array(scoredToken).optional(),
  generated: z.object({ ids: z.array(z.int()), text: z.string() }),
  stop: stopReason,
  seconds: z.object({ load: z.number(), prefill: z.number(), decode: z.number() }),
  steps: z.array(stepView).optional(),
  notes: z.array(z.string()).optional(),
});
export type RunResult = z.infer<typeof runResult>;
