import { z } from 'zod';
import { editInput, modelInput } from './inputs.js';
import { onePrompt } from './lens.js';
import { modelSummary, tokenView } from './model.js';

export const headInput = modelInput
  .extend(onePrompt.shape)
  .extend(editInput.shape)
  .extend({
    /** `3.2`, `decoder.3.2`. */
    head: z.string(),
    /** How many pairs and parts are told. */
    top: z.int().min(1).max(1000).default(10),
    /** With a prompt: the token that looks; negative from the end. */
    query: z.int().default(-1),
    /** With a prompt: the token looked at; the one looked at most where left out. */
    key: z.int().optional(),
    /** Whether pairs of all words are looked for. */
    pairs: z.boolean().default(true),
    /** Where to write the result: .json, .csv, .svg or .png. */
    out: z.string().min(1).optional(),
  });
export type HeadInput = z.infer<typeof headInput>;

/** Two words and how strongly the head joins them. */
export const wordPair = z.object({ from: tokenView, to: tokenView, value: z.number() });
export type WordPair = z.infer<typeof wordPair>;

const placed = tokenView.extend({ position: z.int() });

/**
 * Why a head looks from one token at another: its score before bias, cap and mask, as a sum over pairs of what is in
 * the stream at the two.
 */
export const because = z.object({
  query: placed,
  key: placed,
  /** The share of attention. */
  weight: z.number(),
  /** scale · q·k. */
  value: z.number(),
  /** As the model has it: with cap, bias and mask. */
  score: z.number(),
  /** What the parts miss `value` by. */
  residual: z.number(),
  /** By what is in the stream at the query, with all that is at the key; and the other way round. */
  byQuery: z.array(z.object({ part: z.string(), value: z.number() })),
  byKey: z.array(z.object({ part: z.string(), value: z.number() })),
  pairs: z.array(z.object({ query: z.string(), key: z.string(), value: z.number() })),
  /** The tokens looked at most, each with the parts at it that count most. */
  tokens: z.array(
    placed.extend({
      weight: z.number(),
      value: z.number(),
      parts: z.array(z.object({ part: z.string(), value: z.number() })),
    }),
  ),
});
export type Because = z.infer<typeof because>;

export const headResult = z.object({
  model: modelSummary,
  head: z.string(),
  /** Σ Re λ / Σ |λ| of the full OV circuit. */
  copying: z.number().nullable(),
  /** OV: reading the first word, the head writes the second. */
  writes: z.array(wordPair).optional(),
  /** QK: the first word looks at the second, positions aside. */
  looks: z.array(wordPair).optional(),
  tokens: z.array(tokenView).optional(),
  because: because.optional(),
  notes: z.array(z.string()).optional(),
});
export type HeadResult = z.infer<typeof headResult>;
