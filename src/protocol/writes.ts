import { z } from 'zod';
import { editInput, modelInput } from './inputs.js';
import { onePrompt, wordInput } from './lens.js';
import { tokenView } from './model.js';

const index = z.int().min(0);

/**
 * What parts of a block write into the stream at a position, read as words. `neurons`: each as strong as it is there.
 * `taken`: what a head hands over from a key, were all of its attention there.
 */
export const writesInput = modelInput
  .extend(onePrompt.shape)
  .extend(editInput.shape)
  .extend({
    /** `blocks.3` */
    block: z.string(),
    position: index,
    neurons: z.array(index).max(256).default([]),
    taken: z
      .array(z.object({ head: index, key: index, isCross: z.boolean().default(false) }))
      .max(64)
      .default([]),
    words: z.array(wordInput).max(16).default([]),
    /** How many words each raises and lowers most. */
    top: z.int().min(1).max(100).default(5),
  });
export type WritesInput = z.infer<typeof writesInput>;

const effect = tokenView.extend({ effect: z.number() });

/** `effect`: logits, by the direct way. `size`: ‖what is written‖. `by`: how strong the part is. */
export const written = z.object({
  ...{ by: z.number(), size: z.number() },
  ...{ raised: z.array(effect), lowered: z.array(effect), words: z.array(effect) },
});
export type Written = z.infer<typeof written>;

export const writesResult = z.object({
  neurons: z.array(written),
  taken: z.array(written),
  /** Such as that a norm follows before anything is added to the stream. */
  notes: z.array(z.string()),
});
export type WritesResult = z.infer<typeof writesResult>;
