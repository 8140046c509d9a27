import { z } from 'zod';
import { errorCodes } from '../base/index.js';

/** An error as it crosses from one process to another. */
export const wireError = z.object({
  blame: z.enum(['caller', 'model', 'engine', 'us']),
  code: z.enum(errorCodes),
  message: z.string(),
  hint: z.string(),
  details: z.record(z.string(), z.json()).optional(),
});
export type WireError = z.infer<typeof wireError>;
