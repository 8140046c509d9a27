import { z } from 'zod';
import { editInput, modelInput } from './inputs.js';
import { onePrompt, wordInput, wordScore } from './lens.js';
import { scoredToken, tokenView } from './model.js';

export const knockoutInput = modelInput
  .extend(onePrompt.shape)
  .extend(editInput.shape)
  .extend({
    /** As edits name it: `3`, of an encoder-decoder `decoder.3`. */
    layer: z
      .union([z.int().min(0), z.string()])
      .transform(String)
      .optional(),
    /** Other edits to try, one at a time, in place of the parts of a layer or beside them. */
    tries: z.array(z.string()).max(1000).default([]),
    words: z.array(wordInput).max(16).default([]),
  });
export type KnockoutInput = z.infer<typeof knockoutInput>;

/** What a run says next. `kl`: from the run without this change, nats. */
const outcome = z.object({ top: scoredToken, words: z.array(wordScore), kl: z.number().nullable() });

/** The run without each part of a layer in turn, and with each edit that was to be tried. `edit` makes the change. */
export const knockoutResult = z.object({
  tokens: z.array(tokenView),
  layer: z.string().optional(),
  base: outcome,
  parts: z.array(
    outcome.extend({
      part: z.enum(['head', 'cross-head', 'attention', 'cross-attention', 'mlp', 'edit']),
      head: z.int().optional(),
      edit: z.string(),
    }),
  ),
});
export type KnockoutResult = z.infer<typeof knockoutResult>;
