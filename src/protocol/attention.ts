import { z } from 'zod';
import { editInput, modelInput } from './inputs.js';
import { onePrompt } from './lens.js';

/** Which attention of a model: `self` of its one stack or its decoder; of an encoder-decoder the others too. */
export const attentionKind = z.enum(['self', 'encoder', 'cross']);
export type AttentionKind = z.infer<typeof attentionKind>;

const position = z.int().min(0);

/**
 * Attention to hold in the host under `run`, for views. `each`: all heads of all layers, each as a max pyramid's level of
 * at most `size` along a side; `mean`: the mean of the chosen heads; `rollout`: through all layers.
 */
export const attentionInput = modelInput
  .extend(onePrompt.shape)
  .extend(editInput.shape)
  .extend({
    run: z.string().min(1).max(200),
    kind: attentionKind.default('self'),
    show: z.enum(['each', 'mean', 'rollout']).default('each'),
    /** `weighted`: the pattern times ‖v‖. Rollout is of patterns. */
    value: z.enum(['pattern', 'scores', 'weighted']).default('pattern'),
    /** Of which the mean is taken: `blocks.3`, head 2. */
    heads: z.array(z.object({ block: z.string(), head: z.int().min(0) })).default([]),
    /** Rollout goes as far as this block; to the last where left out. */
    through: z.string().optional(),
    /**
     * Tokens left out: as rows and as columns. `specials`: those that the tokenizer puts in, such as a beginning.
     * `renormalise`: what is left of a row sums to 1 again.
     */
    hide: z
      .object({
        queries: z.array(position).default([]),
        keys: z.array(position).default([]),
        ...{ specials: z.boolean().default(false), renormalise: z.boolean().default(false) },
      })
      .optional(),
    size: z.int().min(16).max(4096).default(512),
    maxBytes: z.int().min(1).optional(),
  });
export type AttentionInput = z.infer<typeof attentionInput>;

/** What is held: under `site` a value [head, query, key], each pixel of `level` the greatest of 2^level x 2^level numbers. */
export const attentionLayer = z.object({
  site: z.string(),
  /** `blocks.3`; of a mean or a rollout empty. */
  block: z.string(),
  ...{ heads: z.int(), queries: z.int(), keys: z.int(), level: z.int() },
  /** Of the numbers that are not masked. */
  ...{ least: z.number(), greatest: z.number() },
});
export type AttentionLayer = z.infer<typeof attentionLayer>;

export const attentionResult = z.object({
  run: z.string(),
  revision: z.int(),
  /** The kinds that this model has. */
  kinds: z.array(attentionKind),
  /** The lowest first. */
  layers: z.array(attentionLayer),
  /** Tokens that were left out. */
  hidden: z.object({ queries: z.array(position), keys: z.array(position) }),
  /** That are held. */
  bytes: z.int(),
});
export type AttentionResult = z.infer<typeof attentionResult>;
