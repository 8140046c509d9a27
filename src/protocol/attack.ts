import { z } from 'zod';
import { editInput, modelInput } from './inputs.js';
import { onePrompt, wordInput } from './lens.js';
import { modelSummary, scoredToken, tokenView } from './model.js';

export const attackInput = modelInput
  .extend(onePrompt.shape)
  .extend(editInput.shape)
  .extend({
    /** `hotflip`: tokens swapped until the prediction is another; `input-reduction`: taken away as long as it stays. */
    attack: z.enum(['hotflip', 'input-reduction']).default('hotflip'),
    /** Of `hotflip`: the prediction that is wanted, a word or a label; any other where left out. */
    toward: wordInput.optional(),
    /** Texts of tokens that stay. AllenNLP's list where left out. */
    keep: z.array(z.string()).optional(),
    /** Of `hotflip`: put in any token, not only those of letters and digits. */
    anyToken: z.boolean().default(false),
    /** Of `hotflip`: swaps at the most; as many as there are tokens where left out. */
    maxFlips: z.int().min(1).optional(),
    /** Of `input-reduction`: texts followed at a time. */
    beam: z.int().min(1).max(64).default(3),
    /** Of `input-reduction`: special tokens may go too, as in AllenNLP. */
    takeSpecial: z.boolean().default(false),
    /** Where to write the result: .json, .csv, .svg or .png. */
    out: z.string().min(1).optional(),
  });
export type AttackInput = z.infer<typeof attackInput>;

/** What the model says of a text. */
const judged = z.object({ prediction: scoredToken, loss: z.number().nullable() });

export const attackResult = z.object({
  model: modelSummary,
  attack: z.enum(['hotflip', 'input-reduction']),
  tokens: z.array(tokenView),
  /** What the decoder of an encoder-decoder reads; what is attacked is the source. */
  target: z.array(tokenView).optional(),
  /** The position whose scores are the prediction, where it is of a word. */
  position: z.int().optional(),
  /** Tokens of the text that it ended with, and their places in the one it began with. */
  final: z.array(tokenView),
  kept: z.array(z.int()),
  /** Swaps in their order, with what the model says after each. */
  flips: z.array(z.object({ position: z.int(), from: tokenView, to: tokenView, prediction: scoredToken })),
  /** Tokens taken away in their order, by their places in the text it began with, and what the model says without. */
  removed: z.array(z.object({ position: z.int(), token: tokenView, prediction: scoredToken })),
  before: judged,
  after: judged,
  /** Of `hotflip`: is the prediction what was wanted? Of `input-reduction`: is anything gone? */
  succeeded: z.boolean(),
  notes: z.array(z.string()).optional(),
});
export type AttackResult = z.infer<typeof attackResult>;
