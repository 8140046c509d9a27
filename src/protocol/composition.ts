import { z } from 'zod';
import { editInput, modelInput } from './inputs.js';
import { modelSummary } from './model.js';

export const compositionInput = modelInput.extend(editInput.shape).extend({
  /** Only pairs of this head, as `3.2`. */
  head: z.string().optional(),
  /** How many pairs of each kind, the strongest. */
  top: z.int().min(1).max(100_000).default(20),
  out: z.string().min(1).optional(),
});
export type CompositionInput = z.infer<typeof compositionInput>;

/** How much of what a later head reads is what an earlier one writes. */
export const compositionPair = z.object({
  kind: z.enum(['Q', 'K', 'V']),
  from: z.string(),
  to: z.string(),
  score: z.number(),
});
export type CompositionPair = z.infer<typeof compositionPair>;

export const compositionResult = z.object({
  model: modelSummary,
  /** The mean score of each kind over all pairs, to hold the strongest against. */
  mean: z.object({ Q: z.number(), K: z.number(), V: z.number() }),
  pairs: z.array(compositionPair),
});
export type CompositionResult = z.infer<typeof compositionResult>;
