import { z } from 'zod';
import { editInput, generationInput, modelInput, promptInput, recordInput } from './inputs.js';

/** What the debugger starts with. `model` may be a recording, of which what was recorded can be looked at. */
export const debugInput = modelInput
  .extend(promptInput.shape)
  .extend(editInput.shape)
  .extend(generationInput.shape)
  .extend(recordInput.shape)
  .extend({
    /** Sites whose values the recording keeps at each step: globs, separated by commas. */
    recordSites: z.string().optional(),
    /** A file of commands, carried out before the terminal's. */
    x: z.string().optional(),
  });
export type DebugInput = z.infer<typeof debugInput>;

/** Tokens that a run under the debugger makes where nothing else is said. */
export const debuggedTokens = 20;
