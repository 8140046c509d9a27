import { z } from 'zod';
import { editInput, liveInput, modelInput, promptInput } from './inputs.js';
import { modelSummary, scoredToken, tokenView } from './model.js';

/** A word whose standing is told: a text that is one token, or an id. */
export const wordInput = z.union([z.string(), z.int()]);
export type WordInput = z.infer<typeof wordInput>;

/** One prompt, not a file of them. */
export const onePrompt = promptInput.omit({ prompts: true });

/** How a word stands among scores. `rank`: 1 for the likeliest. */
export const wordScore = z.object({
  id: z.int(),
  text: z.string(),
  logit: z.number().nullable(),
  probability: z.number().nullable(),
  rank: z.int(),
});
export type WordScore = z.infer<typeof wordScore>;

export const lensInput = modelInput
  .extend(onePrompt.shape)
  .extend(editInput.shape)
  .extend(liveInput.shape)
  .extend({
    words: z.array(wordInput).max(16).default([]),
    /** How many of the likeliest words each cell has. */
    top: z.int().min(1).max(100).default(1),
    /** Positions, from 0; all where left out. */
    positions: z.array(z.int()).optional(),
    /** Only after these parts, such as `blocks.3`; all where left out. */
    after: z.array(z.string()).optional(),
    /** Whether each cell has how far it is from the model's last word. */
    kl: z.boolean().default(false),
    /** A folder with a tuned lens: config.json and its translators as safetensors. */
    tuned: z.string().min(1).optional(),
    /** A file for the table: .csv, .json, or .svg and .png for a picture. */
    out: z.string().min(1).optional(),
    /** Edits of another run, to which each cell tells its difference. */
    versus: editInput.shape.edits.unwrap().optional(),
    /** The encoder of an encoder-decoder: no words are read there, the rest of each cell is. */
    stack: z.literal('encoder').optional(),
    /** No words are read: what every model has, also one that gives labels. */
    wordless: z.boolean().default(false),
  });
export type LensInput = z.infer<typeof lensInput>;

/** What is finite, or null: JSON has no others. */
const finite = z.number().nullable();

/**
 * One place of the stream. `entropy` and `kl` in nats; `norm` of the stream; `change`: how much this part changed it,
 * as a share of what it was; `broken`: numbers that are NaN or infinite.
 */
export const lensCell = z.object({
  top: z.array(scoredToken),
  words: z.array(wordScore.omit({ id: true, text: true })),
  entropy: finite,
  norm: finite,
  change: finite,
  broken: z.int(),
  /** KL(end ‖ here): how far what is said here is from what is said in the end. */
  kl: finite.optional(),
  versus: z.object({ kl: finite, distance: finite }).optional(),
});
export type LensCell = z.infer<typeof lensCell>;

/** What the model would say after each part of it, at each position. */
export const lensResult = z.object({
  model: modelSummary,
  tokens: z.array(tokenView),
  target: z.array(tokenView).optional(),
  positions: z.array(z.int()),
  words: z.array(tokenView),
  rows: z.array(z.object({ after: z.string(), cells: z.array(lensCell) })),
  notes: z.array(z.string()).optional(),
});
export type LensResult = z.infer<typeof lensResult>;
