import { z } from 'zod';
import { editInput, modelInput, modelName } from './inputs.js';
import { onePrompt, wordInput, wordScore } from './lens.js';
import { modelSummary, scoredToken, tokenView } from './model.js';
import { maskView } from './run.js';

export const compareInput = modelInput
  .extend(onePrompt.shape)
  .extend(editInput.shape)
  .extend({
    /** Edits of the run that is compared with; the model as it is where left out. */
    versus: editInput.shape.edits,
    /** What else the run compared with has: another model, another prompt. As this one where left out. */
    other: onePrompt.extend({ model: modelName.unwrap().optional() }).optional(),
    words: z.array(wordInput).max(16).default([]),
    /** How many of the likeliest next tokens are listed. */
    top: z.int().min(1).max(1000).default(10),
    /** `answer`: only the position whose scores are the answer is scored, which is quicker; the others tell nothing. */
    scored: z.enum(['all', 'answer']).default('all'),
  });
export type CompareInput = z.infer<typeof compareInput>;

const finite = z.number().nullable();

/**
 * One of the two runs. `best`: at each position the likeliest; `surprise`: −log of the probability that the token at
 * this position had, nats, null at the first.
 */
export const comparedRun = z.object({
  tokens: z.array(tokenView),
  target: z.array(tokenView).optional(),
  next: z.array(scoredToken),
  masks: z.array(maskView).optional(),
  labels: z.array(scoredToken).optional(),
  words: z.array(wordScore),
  best: z.array(scoredToken),
  surprise: z.array(finite),
  entropy: z.array(finite),
  notes: z.array(z.string()),
});
export type ComparedRun = z.infer<typeof comparedRun>;

/**
 * Two runs beside each other. `position`: whose scores are the answer, of the run after: the first mask's,
 * or the last. `kl`: Σ before·(log before − log after) at each position, nats; only the
 * answer's where the two read another number of tokens, the text is too long to keep all scores, or nothing else was
 * asked for. `changed`: positions whose likeliest token is another.
 */
export const compareResult = z.object({
  model: modelSummary,
  /** Of the run before, where that is another. */
  otherModel: modelSummary.optional(),
  before: comparedRun,
  after: comparedRun,
  position: z.int(),
  kl: z.array(finite),
  changed: z.array(z.int()),
  /** Computing both, without opening the model. `reused`: parts of the run after that the one before had computed. */
  seconds: z.number(),
  reused: z.int(),
});
export type CompareResult = z.infer<typeof compareResult>;
