import { z } from 'zod';
import { editInput, modelInput, promptInput } from './inputs.js';
import { modelSummary, scoredToken, tokenView } from './model.js';

export const diffInput = modelInput
  .extend(promptInput.omit({ prompts: true }).shape)
  .extend(editInput.shape)
  .extend({
    /** The other side: a model, a recording, a safetensors file with values by the names of sites, or `HOST:PORT` of a live process. */
    other: z.string().min(1),
    /** The token of a live process, and that of the other side where it is another. */
    token: z.string().optional(),
    otherToken: z.string().optional(),
    /** Edits of the other side, where it is a model. */
    otherEdits: editInput.shape.edits,
    /** Globs of the sites that are compared; all that both have where left out. */
    sites: z.string().optional(),
    /** Relative differences up to here are noise; by how the weights are stored where left out. */
    floor: z.number().positive().optional(),
    /** Try known mistakes where the two first differ. */
    explain: z.boolean().default(true),
    /** How many differences are explained one after the other. */
    most: z.int().min(1).max(20).default(4),
    maxBytes: z.int().min(1).optional(),
  });
export type DiffInput = z.infer<typeof diffInput>;

const finite = z.number().nullable();

/** How far the other side's value of a site is. `relative`: ‖a − b‖ / ‖a‖, null where it is infinite. */
export const siteDifference = z.object({
  site: z.string(),
  shape: z.array(z.int()),
  relative: finite,
  largest: finite,
  cosine: finite,
  /** Numbers that are NaN or infinite, on either side. */
  broken: z.tuple([z.int(), z.int()]),
  differs: z.boolean(),
});
export type SiteDifferenceView = z.infer<typeof siteDifference>;

/** A mistake that, made in the first model, gives the other side's value at the place where the two differ. */
export const diffExplanation = z.object({
  /** Which kind of mistake: `epsilon`, `rope-base` ... */
  id: z.string(),
  title: z.string(),
  /** What the other side does. */
  says: z.string(),
  /** An edit of the first model that does the same. */
  edit: z.string().optional(),
  relative: finite,
});
export type DiffExplanation = z.infer<typeof diffExplanation>;

/** A place where the two part, and what is known of it. */
export const diffFinding = z.object({
  site: z.string(),
  relative: finite,
  /** Sites that it is computed from, and that agree. */
  from: z.array(z.string()),
  /** Where in the model: `blocks.3.attn`. */
  scope: z.string(),
  /** Along each axis, how far each slice is; only short axes. */
  along: z.array(z.object({ axis: z.string(), relative: z.array(finite) })),
  /** What the values show by themselves. */
  signs: z.array(z.string()),
  /** How many mistakes were tried. */
  tried: z.int(),
  /** Those that give the other side's numbers, the likeliest first. */
  explanations: z.array(diffExplanation),
  /** With the first explanation carried out: how many sites agree then, of how many, and where it reaches. */
  proof: z
    .object({ reach: z.enum(['here', 'everywhere']), agree: z.int(), of: z.int(), next: z.string().nullable() })
    .optional(),
});
export type DiffFinding = z.infer<typeof diffFinding>;

export const diffSide = z.object({
  name: z.string(),
  kind: z.enum(['model', 'recording', 'values', 'live']),
  model: modelSummary.optional(),
  /** How its numbers are stored. */
  dtype: z.string().optional(),
});
export type DiffSide = z.infer<typeof diffSide>;

export const diffResult = z.object({
  a: diffSide,
  b: diffSide,
  tokens: z.array(tokenView),
  target: z.array(tokenView).optional(),
  /** Where the two cut the text into other tokens: the other side's. The first side's are given to both. */
  otherTokens: z.array(tokenView).optional(),
  floor: z.number(),
  sites: z.array(siteDifference),
  onlyA: z.array(z.string()),
  onlyB: z.array(z.string()),
  unlike: z.array(z.object({ site: z.string(), shapes: z.tuple([z.array(z.int()), z.array(z.int())]) })),
  findings: z.array(diffFinding),
  /** What differs far more than its like in other layers do, by name of a site or a weight. */
  outliers: z.array(z.object({ name: z.string(), relative: z.number(), median: z.number() })),
  /** How far each value is where its layer is given what the other side's layer was given: its layer's own part. */
  local: z.array(z.object({ name: z.string(), relative: finite })).optional(),
  /** Weights that hold other numbers, the most different first; of two models whose weights have the same names. */
  weights: z.array(z.object({ name: z.string(), relative: finite })).optional(),
  /** Fields of the configs that are not the same. */
  config: z.array(z.object({ field: z.string(), a: z.unknown(), b: z.unknown() })).optional(),
  /** What both say at the end, and Σ a·(log a − log b) there, nats. */
  output: z.object({ a: z.array(scoredToken), b: z.array(scoredToken), kl: finite }).optional(),
  /** By the values of the whole run, or, where noise adds up from layer to layer, by each layer's own part. */
  agree: z.boolean(),
  byLayer: z.boolean(),
  notes: z.array(z.string()),
});
export type DiffResult = z.infer<typeof diffResult>;
