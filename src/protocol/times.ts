import { z } from 'zod';
import { editInput, modelInput } from './inputs.js';
import { onePrompt } from './lens.js';

/** How long each part of the model takes for a prompt, with its edits. */
export const timesInput = modelInput
  .extend(onePrompt.shape)
  .extend(editInput.shape)
  .extend({
    /** Passes that are timed, behind some that are not: they make ready what the others use. */
    repeats: z.int().min(1).max(1000).default(7),
  });
export type TimesInput = z.infer<typeof timesInput>;

/** `ms`: medians over the passes, in milliseconds; those of the segments in the order in which they run. */
export const timesResult = z.object({
  repeats: z.int(),
  ms: z.number(),
  segments: z.array(z.object({ name: z.string(), ms: z.number() })),
});
export type TimesResult = z.infer<typeof timesResult>;
