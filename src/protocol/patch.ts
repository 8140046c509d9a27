import { z } from 'zod';
import { editInput, liveInput, modelInput } from './inputs.js';
import { onePrompt, wordInput } from './lens.js';
import { modelSummary, tokenView } from './model.js';

/** Along what sites are cut into the parts that are changed one at a time. */
export const patchBy = z.enum(['position', 'head', 'neuron', 'none']);

/**
 * `patch`: values of the other prompt; `noise`: the clean values, in a run whose embedding is noised; `zero`, `mean`,
 * `resample`: what cells are replaced by in the run itself;
 * `path`: values of the other prompt that reach receivers alone; `attribution`: a guess of `patch` by gradients.
 */
export const patchMethod = z.enum(['patch', 'noise', 'zero', 'mean', 'resample', 'path', 'attribution']);
export type PatchMethod = z.infer<typeof patchMethod>;

/** Two prompts, and what is measured of them; or a file of such. */
export const pairInput = onePrompt.extend({
  /** The corrupted prompt, as a text or as ids. */
  corrupt: z.string().optional(),
  corruptIds: z.array(z.int()).optional(),
  /** JSON lines with `prompt`, `corrupt`, `answer`, `wrong`, or with the fields of templates `{name}`. */
  pairs: z.string().optional(),
  /** The same lines themselves, of who has no file beside the model. */
  pairsText: z.string().max(10_000_000).optional(),
  /** An expression; left out: the score of the answer less that of the wrong one. */
  metric: z.string().optional(),
  answer: wordInput.optional(),
  wrong: wordInput.optional(),
});
export type PairInput = z.infer<typeof pairInput>;

export const patchInput = modelInput
  .extend(pairInput.shape)
  .extend(editInput.shape)
  .extend(liveInput.shape)
  .extend({
    method: patchMethod.default('patch'),
    /** `denoise`: clean values into the corrupted run; `noise`: corrupted values into the clean run. */
    direction: z.enum(['denoise', 'noise']).default('denoise'),
    /** Short names (`resid_pre`, `z`), names or globs. */
    sites: z.string().default('resid_pre,attn_out,mlp_out'),
    /** Left out: heads where a site has them, else positions. */
    by: z.array(patchBy).min(1).optional(),
    layers: z.array(z.int().min(0)).optional(),
    positions: z.array(z.int().min(0)).optional(),
    /** With `path`: selectors such as `blocks.5.attn.q[head=3]`, or `logits`. */
    receivers: z.string().optional(),
    /** With `path`: whether MLPs on the way compute again. */
    through: z.enum(['nothing', 'mlps']).default('nothing'),
    /** Layers that are changed together, around each. */
    window: z.int().min(1).max(1000).default(1),
    /** Draws of noise, or of other prompts. */
    samples: z.int().min(1).max(10_000).default(10),
    seed: z.int().default(0),
    /** Standard deviation of the noise; left out: three times that of the embedding. */
    sigma: z.number().positive().optional(),
    /** Tokens whose embedding is noised: positions, or a text that stands in the prompt; a line of `pairs` may name its own. */
    subject: z.union([z.array(z.int().min(0)), z.string().min(1)]).optional(),
    /** Cells whose true effect is measured beside a guess. */
    checked: z.int().min(0).max(100_000).default(20),
    maxBytes: z.int().min(1).optional(),
    /** A file that results are written to as they come, and read from when it is there. */
    resume: z.string().min(1).optional(),
    /** Where to write the result: .json, .csv, .svg or .png. */
    out: z.string().min(1).optional(),
  });
export type PatchInput = z.infer<typeof patchInput>;

const number = z.number().nullable();
const numbers = z.array(z.array(number));

/** The parts of one kind of site: a row a layer. `raw`: the metric with the change; `effect`: what that means. */
export const patchGrid = z.object({
  site: z.string(),
  by: z.array(patchBy),
  /** Positions are those of the encoder's text. */
  ofSource: z.literal(true).optional(),
  layers: z.array(z.string()),
  columns: z.array(
    z.object({
      label: z.string(),
      position: z.int().optional(),
      head: z.int().optional(),
      neuron: z.int().optional(),
    }),
  ),
  raw: numbers,
  effect: numbers,
  /** Of several pairs: the middle 95 % of the bootstrap. */
  low: numbers.optional(),
  high: numbers.optional(),
});
export type PatchGrid = z.infer<typeof patchGrid>;

export const patchResult = z.object({
  model: modelSummary,
  tokens: z.array(tokenView),
  corruptTokens: z.array(tokenView).optional(),
  method: patchMethod,
  direction: z.enum(['denoise', 'noise']).optional(),
  /** Of noise: the standard deviation that it was drawn with. */
  sigma: z.number().optional(),
  /** Of the first pair. */
  metric: z.string(),
  pairs: z.int(),
  /** Of pairs that are measured by other words than the first, or by other expressions: each one's own, in their order. */
  metrics: z.array(z.string()).optional(),
  /** The metric of the clean and of the corrupted run, means over pairs. */
  clean: number,
  corrupted: number,
  /** `share`: 0 is the corrupted run, 1 the clean one; `change`: the metric less that of the run without a change. */
  effect: z.enum(['share', 'change']),
  grids: z.array(patchGrid),
  /** Of a guess: how it agrees with the true effects of some cells (Pearson's correlation). */
  guess: z.object({ checked: z.int(), correlation: number }).optional(),
  /** How many runs were made, and how many were known from before. */
  runs: z.int(),
  known: z.int(),
  seconds: z.number(),
  notes: z.array(z.string()).optional(),
});
export type PatchResult = z.infer<typeof patchResult>;
