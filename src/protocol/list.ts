import { z } from 'zod';
import { modelName } from './inputs.js';
import { modelSummary, tokenView } from './model.js';
import { modelPicture, modelReads } from './picture.js';
import { stopReason } from './run.js';

export const listInput = z.object({
  model: modelName,
  show: z.array(z.enum(['sites', 'weights', 'listing', 'picture', 'reads'])).default(['sites', 'weights']),
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

/** A recording at a glance. `steps`: at which each site's values are, by the site's name. */
export const recordingView = z.object({
  ...{ date: z.string(), verb: z.string(), complete: z.boolean(), redacted: z.boolean(), writer: z.string() },
  ...{ model: z.string().optional(), tokens: z.array(tokenView).optional(), target: z.array(tokenView).optional() },
  ...{ promptLength: z.int(), generated: z.array(tokenView).optional(), made: z.int(), stop: stopReason },
  edits: z.array(z.string()).optional(),
  steps: z.record(z.string(), z.array(z.int())),
});
export type RecordingView = z.infer<typeof recordingView>;

export const listResult = z.object({
  model: modelSummary,
  sites: z.array(siteEntry).optional(),
  weights: z.array(weightEntry).optional(),
  listing: z.array(z.string()).optional(),
  picture: modelPicture.optional(),
  reads: modelReads.optional(),
  /** Where a recording was listed. */
  recording: recordingView.optional(),
  notes: z.array(z.string()).optional(),
});
export type ListResult = z.infer<typeof listResult>;
