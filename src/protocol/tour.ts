import { z } from 'zod';
import { modelSummary, scoredToken, tokenView } from './model.js';

/** The first start needs nothing. */
export const tourInput = z.object({});
export type TourInput = z.infer<typeof tourInput>;

/** What the model would say after a part of it, and how the right and the wrong answer stand there. */
export const tourLensRow = z.object({
  /** `embed`, or a block. */
  after: z.string(),
  top: scoredToken,
  expected: z.number(),
  wrong: z.number(),
});

/** A prompt that a model gets wrong, where it goes wrong, and an edit that mends it. */
export const tourResult = z.object({
  model: modelSummary,
  prompt: z.string(),
  tokens: z.array(tokenView),
  expected: z.string(),
  wrong: z.string(),
  next: z.array(scoredToken),
  /** Probabilities of the two answers after each layer. */
  lens: z.array(tourLensRow),
  /** Where one head looks: [query][key]. */
  attention: z.object({ site: z.string(), head: z.int(), pattern: z.array(z.array(z.number())) }),
  edit: z.string(),
  mended: z.array(scoredToken),
});
export type TourResult = z.infer<typeof tourResult>;
