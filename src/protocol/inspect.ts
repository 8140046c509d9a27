import { z } from 'zod';
import { editInput, modelInput, promptInput, recordInput } from './inputs.js';
import { tokenView } from './model.js';

export const inspectInput = modelInput
  .extend(promptInput.shape)
  .extend(editInput.shape)
  .extend(recordInput.shape)
  .extend({
    /** Of a recording: which step's values; the prefill, 0, where left out. */
    step: z.int().min(0).optional(),
    /** Globs, separated by commas. */
    sites: z.string(),
    /** An expression: the gradients of this number by the sites are wanted too, as `grad(SITE)`. */
    gradOf: z.string().optional(),
    /** Globs of weights, separated by commas: their gradients too, as `grad(weight NAME)`. */
    gradWeights: z.string().optional(),
    /** Keep only what layers hand on, and compute each again on the way back: less memory, more time. */
    gradCheckpoint: z.boolean().default(false),
    /** `nan, inf, exploding 1000, vanishing 1e-8`: where on the way back the first of these is. */
    gradCatch: z.string().min(1).optional(),
    /** Where to write the values, as float32 safetensors. */
    out: z.string().optional(),
    /** Bytes that captured values may take; half of free memory where left out. */
    maxBytes: z.int().min(1).optional(),
  });
export type InspectInput = z.infer<typeof inspectInput>;

/** Statistics are of the finite numbers, null where there are none; `nan` and `inf` count the others. */
export const siteView = z.object({
  name: z.string(),
  axes: z.array(z.string()),
  shape: z.array(z.int()),
  dtype: z.string(),
  min: z.number().nullable(),
  max: z.number().nullable(),
  mean: z.number().nullable(),
  std: z.number().nullable(),
  nan: z.int(),
  inf: z.int(),
});
export type SiteView = z.infer<typeof siteView>;

/** Where something is wrong with a gradient, first on the way back. */
export const gradientFault = z.object({
  filter: z.enum(['nan', 'inf', 'exploding', 'vanishing']),
  /** `grad(SITE)`. */
  site: z.string(),
  /** The length of the gradient; null where it is no finite number. */
  norm: z.number().nullable(),
  description: z.string(),
});
export type GradientFault = z.infer<typeof gradientFault>;

export const inspectResult = z.object({
  tokens: z.array(tokenView),
  /** What the decoder of an encoder-decoder reads; `tokens` are then the source's. */
  target: z.array(tokenView).optional(),
  /** What the gradients are of, and what it is; null where it is no finite number. */
  gradOf: z.object({ expression: z.string(), value: z.number().nullable() }).optional(),
  /** What was caught on the way back; null where nothing was. */
  gradCaught: gradientFault.nullable().optional(),
  sites: z.array(siteView),
  notes: z.array(z.string()).optional(),
});
export type InspectResult = z.infer<typeof inspectResult>;
