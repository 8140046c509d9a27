import { z } from 'zod';
import { editInput, modelInput, promptInput } from './inputs.js';

/** What the debugger starts with. */
export const debugInput = modelInput
  .extend(promptInput.shape)
  .extend(editInput.shape)
  .extend({
    /** Tokens that the run makes at the most. */
    maxNewTokens: z.int().min(0).default(20),
    ignoreEos: z.boolean().default(false),
    /** A file of commands, carried out before the terminal's. */
    x: z.string().optional(),
  });
export type DebugInput = z.infer<typeof debugInput>;
