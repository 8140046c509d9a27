import { z } from 'zod';
import { editInput, modelInput } from './inputs.js';
import { modelSummary, tokenView } from './model.js';
import { pairInput } from './patch.js';

export const circuitInput = modelInput
  .extend(pairInput.shape)
  .extend(editInput.shape)
  .extend({
    /** The share of the difference between the runs that the circuit has to keep. */
    faithfulness: z.number().gt(0).max(1).default(0.9),
    /** So many edges instead. */
    size: z.int().min(1).max(10_000_000).optional(),
    /** An edge goes where the share falls by less without it. */
    threshold: z.number().min(0).max(1).optional(),
    /** Edges that are tried one by one, at the most. */
    tests: z.int().min(0).max(1_000_000).default(400),
    maxBytes: z.int().min(1).optional(),
    /** A file that results are written to as they come, and read from when it is there. */
    resume: z.string().min(1).optional(),
    /** Where to write the result: .json, .csv, .dot, .svg or .png. */
    out: z.string().min(1).optional(),
  });
export type CircuitInput = z.infer<typeof circuitInput>;

const number = z.number().nullable();

/** The part that reads at the end of an edge: `q 4.1` is read by `head 4.1`, `q 4` by `attention 4`. */
export const readingPart = (to: string): string =>
  to.replace(/^[qkv] (\d+)$/, 'attention $1').replace(/^[qkv] /, 'head ');

/**
 * Edges from what writes to the stream (`embed`, `head 2.0`, `mlp 3`) to what reads it (`q 4.1`, `k 4.1`, `v 4.1`,
 * `mlp 3`, `logits`). Where a norm stands behind a layer's heads, these are one: `attention 2`, `q 4`. `score`: the guess that ordered them; `effect`: by how much the share falls without it.
 */
export const circuitResult = z.object({
  model: modelSummary,
  tokens: z.array(tokenView),
  /** Of the first pair. */
  metric: z.string(),
  /** Where pairs are measured by different ones: each one's own. */
  metrics: z.array(z.string()).optional(),
  pairs: z.int(),
  clean: number,
  corrupted: number,
  edges: z.array(z.object({ from: z.string(), to: z.string(), score: number, effect: number.optional() })),
  /** Heads and MLPs that edges lead from. */
  nodes: z.array(z.string()),
  totalEdges: z.int(),
  faithfulness: number,
  /** The share that remains with all other edges. */
  complement: number,
  /** Edges without which the share falls by less than the threshold, of those that were tried. */
  superfluous: z.int(),
  tried: z.int(),
  /** How many circuits were run, and how many were known from before. */
  runs: z.int(),
  known: z.int(),
  seconds: z.number(),
  notes: z.array(z.string()).optional(),
});
export type CircuitResult = z.infer<typeof circuitResult>;
