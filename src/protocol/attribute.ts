import { z } from 'zod';
import { editInput, liveInput, modelInput } from './inputs.js';
import { onePrompt, wordInput } from './lens.js';
import { modelSummary, tokenView } from './model.js';

/** What says how much each token has to do with a number. */
export const attributionMethods = [
  'gradient',
  'gradient-x-input',
  'integrated-gradients',
  'smoothgrad',
  'lrp',
  'attention-rollout',
  'attention-flow',
  'attention-gradient',
  'occlusion',
  'shapley',
  'lime',
] as const;
export type AttributionMethod = (typeof attributionMethods)[number];

/**
 * Rules of integration by name. `allennlp` reads the left ends, and `lit` too, but as trapezoids between them, so that
 * α = 1 is never read; the others are Captum's, of which `riemann-trapezoid` weighs its n readings as n intervals, so
 * that they add up to less than 1.
 */
export const integrationRules = [
  'gausslegendre',
  'riemann-left',
  'riemann-right',
  'riemann-middle',
  'riemann-trapezoid',
  'allennlp',
  'lit',
] as const;
export type IntegrationRule = (typeof integrationRules)[number];

/**
 * How scores are told. `none`: as they are; `signed`: divided by Σ|s|, signs kept (LIT); `absolute`: |s|/Σ|s|
 * (AllenNLP); `max`: divided by the largest |s|.
 */
export const normalizations = ['none', 'signed', 'absolute', 'max'] as const;
export type Normalization = (typeof normalizations)[number];

/** A token put in place of others, by its text or id, or what is done to them. */
export const replacement = z.union([z.enum(['mask', 'pad', 'zero', 'remove']), z.object({ token: wordInput })]);
export type Replacement = z.infer<typeof replacement>;

/** The number that is explained. Where nothing is said: the score of what the model predicts. */
const explainedInput = z.object({
  /** Any expression that gives one number. */
  of: z.string().optional(),
  /** A word, by its text or id; of a classifier a label, by its name or number. */
  word: wordInput.optional(),
  /** Explained against this one: the difference of the two scores. */
  versus: wordInput.optional(),
  /** Which score of a word. */
  score: z.enum(['logit', 'logprob', 'prob']).default('logit'),
  /** A text that goes on from the prompt: each of its tokens is explained. */
  output: z.string().optional(),
  /** So many tokens are made, and each is explained. */
  maxNewTokens: z.int().min(1).max(1000).optional(),
});

/** Settings of the methods; each reads its own. */
const methodInput = z.object({
  method: z.enum(attributionMethods).default('integrated-gradients'),
  /**
   * Of `gradient` and `smoothgrad`: the length of a token's gradient, or the sum of its numbers (AllenNLP), which is
   * next to nothing where a LayerNorm follows the embeddings.
   */
  reduce: z.enum(['norm', 'sum']).default('norm'),
  rule: z.enum(integrationRules).default('gausslegendre'),
  /** Readings of the path; the rule's own number where left out: 50, AllenNLP's 10, LIT's 30. */
  steps: z.int().min(1).max(10_000).optional(),
  /** Where the path of `integrated-gradients` begins; special tokens stay what they are, unless it is zero. */
  baseline: z.union([z.enum(['zero', 'mask', 'pad']), z.object({ token: wordInput })]).default('zero'),
  /** Noisy inputs, permutations, or coalitions; 10, 25 and 256 where left out. */
  samples: z.int().min(1).max(100_000).optional(),
  stdev: z.number().positive().default(0.01),
  /** Is `stdev` a part of the range of the embeddings' numbers (AllenNLP), or the deviation itself (Captum)? */
  noise: z.enum(['range', 'one']).default('range'),
  average: z.enum(['mean', 'square', 'variance']).default('mean'),
  timesInput: z.boolean().default(false),
  /** Of `lrp`: AttnLRP, or attention's pattern taken as constant (CP-LRP). */
  lrp: z.enum(['attnlrp', 'cp']).default('attnlrp'),
  /** Of `lrp`: what keeps divisors of linear layers from 0. */
  epsilon: z.number().min(0).default(0),
  /** Of `lrp`: positive weights count (1 + gamma) times, in place of epsilon. */
  gamma: z.number().positive().optional(),
  /** What takes the place of tokens that are left out; the tokenizer's mask where it has one, else zeros. */
  replace: replacement.optional(),
  /** Weight of the squared coefficients of `lime`, and the width of its kernel. */
  ridge: z.number().min(0).default(1),
  kernelWidth: z.number().positive().default(256),
  seed: z.int().min(0).default(0),
});

export const attributeInput = modelInput
  .extend(onePrompt.shape)
  .extend(editInput.shape)
  .extend(liveInput.shape)
  .extend(explainedInput.shape)
  .extend(methodInput.shape)
  .extend({
    granularity: z.enum(['token', 'word', 'span']).default('token'),
    /** Ranges of positions, `0-2,5`: each is one unit, and so is each token outside of them. */
    spans: z.string().optional(),
    normalize: z.enum(normalizations).default('none'),
    /** Deletion and insertion curves with every row. */
    faithfulness: z.boolean().default(true),
    /** Points of a curve besides its first. */
    points: z.int().min(1).max(1000).default(10),
    /** Where to write the result: .json, .csv, .svg or .png. */
    out: z.string().min(1).optional(),
    maxBytes: z.int().min(1).optional(),
  });
export type AttributeInput = z.infer<typeof attributeInput>;

const finite = z.number().nullable();

/** Tokens that have one score together: their places in `tokens`, or, on the side of the decoder, in `target`. */
export const attributedUnit = z.object({
  text: z.string(),
  side: z.enum(['tokens', 'target']),
  positions: z.array(z.int()),
  /** Added by the tokenizer: never left out by a method that leaves tokens out. */
  special: z.boolean(),
});
export type AttributedUnit = z.infer<typeof attributedUnit>;

/** `shares` of the units that are gone, or there; `random`: the mean area of random orders. */
const curve = z.object({
  shares: z.array(z.number()),
  values: z.array(finite),
  auc: finite,
  random: finite.optional(),
});
export type FaithfulnessCurve = z.infer<typeof curve>;

/** One number that is explained, and what each unit has to do with it. */
export const attributedRow = z.object({
  /** The expression. */
  of: z.string(),
  /** The position whose scores it reads, and the token or label that is scored. */
  position: z.int().optional(),
  token: tokenView.optional(),
  value: finite,
  /** What it is without the input, where the method compares with that. */
  baseline: finite.optional(),
  /** Σ scores − (value − baseline), where the method promises 0. */
  residual: finite.optional(),
  /** One a unit; null for those that the number cannot depend on, and those that the method leaves alone. */
  scores: z.array(finite),
  /** Standard errors of scores that were estimated by drawing. */
  errors: z.array(finite).optional(),
  /** Of `lime`: how much of the weighted variance its linear model explains. */
  r2: finite.optional(),
  faithfulness: z.object({ deletion: curve, insertion: curve }).optional(),
});
export type AttributedRow = z.infer<typeof attributedRow>;

export const attributeResult = z.object({
  model: modelSummary,
  method: z.enum(attributionMethods),
  /** The settings that the method read. */
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  normalize: z.enum(normalizations),
  /** What the model read; of an encoder-decoder the source. With what it was to go on with. */
  tokens: z.array(tokenView),
  target: z.array(tokenView).optional(),
  units: z.array(attributedUnit),
  rows: z.array(attributedRow),
  notes: z.array(z.string()).optional(),
});
export type AttributeResult = z.infer<typeof attributeResult>;
