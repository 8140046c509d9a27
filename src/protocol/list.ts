import { z } from 'zod';
import { modelName } from './inputs.js';
import { modelSummary } from './model.js';

export const listInput = z.object({
  model: modelName,
  show: z.array(z.enum(['sites', 'weights', 'listing'])).default(['sites', 'weights']),
});
export type ListInput = z.infer<typeof listInput>;

/** `shape` has a number where fixed and the axis's name where it depends on the run. */
export const siteEntry = z.object({
  name: z.string(),
  axes: z.array(z.string()),
  shape: z.array(z.union([z.int(), z.string()])),
  onRequest: z.boolean(),
  aliases: z.array(z.string()).optional(),
});
export type SiteEntry = z.infer<typeof siteEntry>;

export const weightEntry = z.object({ name: z.string(), shape: z.array(z.int()), dtype: z.string() });
export type WeightEntry = z.infer<typeof weightEntry>;

export const listResult = z.object({
  model: modelSummary,
  sites: z.array(siteEntry).optional(),
  weights: z.array(weightEntry).optional(),
  listing: z.array(z.string()).optional(),
  notes: z.array(z.string()).optional(),
});
export type ListResult = z.infer<typeof listResult>;
