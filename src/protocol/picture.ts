import { z } from 'zod';

/** A module of a block, or a sum in the stream. `inputs`: parts before it, `stream` (what comes in), `source` (the encoder's). */
export const picturePart = z.object({
  id: z.string(),
  kind: z.enum(['norm', 'attention', 'mlp', 'experts', 'sum', 'other']),
  inputs: z.array(z.string()),
  parameters: z.int(),
  heads: z.int().optional(),
  experts: z.int().optional(),
  chosen: z.int().optional(),
});
export type PicturePart = z.infer<typeof picturePart>;

/** How the parts of a block hang together; `output`: the part that the stream leaves by. */
export const pictureForm = z.object({ parts: z.array(picturePart), output: z.string() });
export type PictureForm = z.infer<typeof pictureForm>;

/** A segment of the model; `form`: which of the forms is its inside. */
export const pictureBlock = z.object({
  id: z.string(),
  kind: z.enum(['embed', 'block', 'norm', 'cross', 'head']),
  stack: z.enum(['encoder', 'decoder']).optional(),
  layer: z.int().optional(),
  form: z.int(),
  parameters: z.int(),
});
export type PictureBlock = z.infer<typeof pictureBlock>;

/** The architecture as one draws it: segments in the order in which they run, and what equal ones look like inside. */
export const modelPicture = z.object({ blocks: z.array(pictureBlock), forms: z.array(pictureForm) });
export type ModelPicture = z.infer<typeof modelPicture>;

/**
 * What a model can be given, and what it gives. `tokenizer`: whether texts can be read, else token ids alone; `chat`:
 * whether it has a chat template; `mask`: how its mask is written; `config`: the fields that are one number.
 */
export const modelReads = z.object({
  tokenizer: z.boolean(),
  tokenizerError: z.string().optional(),
  chat: z.boolean(),
  mask: z.string().optional(),
  output: z.enum(['next', 'masks', 'labels']),
  maxPositions: z.int().optional(),
  config: z.record(z.string(), z.number()),
});
export type ModelReads = z.infer<typeof modelReads>;
