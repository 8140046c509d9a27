import { z } from 'zod';
import { editInput, modelInput, promptInput } from './inputs.js';
import { modelSummary } from './model.js';

export const headsInput = modelInput
  .extend(promptInput.shape)
  .extend(editInput.shape)
  .extend({
    /** Tokens that are drawn and said twice, where no prompt is given. */
    length: z.int().min(2).max(2000).default(24),
    /** How many such sequences. */
    sequences: z.int().min(1).max(1000).default(4),
    /** Of the draws. */
    seed: z.int().min(0).default(0),
    /** Also what heads copy: their output and value matrices through embedding and unembedding. */
    copying: z.boolean().default(true),
    out: z.string().min(1).optional(),
  });
export type HeadsInput = z.infer<typeof headsInput>;

/** A share of attention from 0 to 1; null where no token has such a place. */
const share = z.number().nullable();

/** One head, by where it looks and what it copies. `layer` as edits name it. `kind`: where it looks most, from a half on. */
export const headTold = z.object({
  name: z.string(),
  layer: z.string(),
  head: z.int(),
  kind: z.enum(['previous', 'next', 'current', 'first', 'duplicate', 'induction']).optional(),
  previous: share,
  next: share,
  current: share,
  first: share,
  duplicate: share,
  induction: share,
  /** Σ Re λ / Σ |λ| of the full OV circuit: 1 copies, −1 takes away; null where it is not told. */
  copying: z.number().nullable(),
  /** Share of tokens that the head writes among the likeliest, and the least likely, five. */
  copies: share,
  suppresses: share,
});
export type HeadTold = z.infer<typeof headTold>;

export const headsResult = z.object({
  model: modelSummary,
  /** What was looked at: drawn tokens, or prompts. */
  sequences: z.int(),
  drawn: z.object({ seed: z.int(), length: z.int() }).optional(),
  heads: z.array(headTold),
  notes: z.array(z.string()).optional(),
});
export type HeadsResult = z.infer<typeof headsResult>;
