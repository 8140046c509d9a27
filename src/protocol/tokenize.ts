import { z } from 'zod';
import { modelName } from './inputs.js';

export const tokenizeInput = z.object({
  model: modelName,
  texts: z.array(z.string()).optional(),
  /** A JSON file with an array of texts. */
  file: z.string().optional(),
  /** A conversation, as the model's chat template writes it: the text is that of the answer. */
  messages: z.array(z.looseObject({ role: z.string() })).optional(),
  /** Add the special tokens of the template, and read their spellings as themselves. */
  special: z.boolean().default(true),
});
export type TokenizeInput = z.infer<typeof tokenizeInput>;

/** `start` and `end` are UTF-16 offsets; a token that holds part of a character spans the whole character. `special`: no piece of the text, such as `<|im_end|>`; told of a conversation's. */
export const placedToken = z.object({
  id: z.int(),
  text: z.string(),
  start: z.int(),
  end: z.int(),
  special: z.boolean().optional(),
});
export type PlacedToken = z.infer<typeof placedToken>;

export const tokenizeResult = z.array(z.object({ text: z.string(), tokens: z.array(placedToken) }));
export type TokenizeResult = z.infer<typeof tokenizeResult>;
