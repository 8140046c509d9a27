import type { JsonObject } from '../../base/index.js';
import type { InputRule, Program, Rope, Segment } from '../../graph/index.js';
import { aliases, type AliasNames } from './aliases.js';
import type { HasTensor } from '../family.js';

/** The names of the tables that embed tokens and score them. */
export interface TokenTables {
  readonly embedding: string;
  readonly unembedding: string;
}

/** How the file names its tables: tied weights stand once, under either name. */
export const tokenTables = (has: HasTensor, own: TokenTables, tied: boolean): TokenTables => {
  const embedding = tied && !has(own.embedding) && has(own.unembedding) ? own.unembedding : own.embedding;
  return { embedding, unembedding: tied ? embedding : own.unembedding };
};

/** Rules for the cosines and sines that `rotate` reads. */
export const ropeRules = (rope: Rope, table = 'rope'): Readonly<Record<string, InputRule>> => ({
  [`${table}.cos`]: { rule: 'rope', part: 'cos', rope },
  [`${table}.sin`]: { rule: 'rope', part: 'sin', rope },
});

/** A decoder-only model: what its config says, and its parts. */
export interface DecoderParts {
  readonly family: string;
  readonly config: JsonObject;
  readonly sizes: {
    readonly layers: number;
    readonly heads: number;
    readonly modelDim: number;
    readonly vocab: number;
    /** Left out where the sequence may have any length. */
    readonly maxPositions?: number | undefined;
  };
  readonly segments: readonly Segment[];
  /** Rules beyond those of `ids` and `mask.causal`. */
  readonly inputs: Readonly<Record<string, InputRule>>;
  readonly tables: TokenTables;
  readonly names: AliasNames;
  /** Which of our two normalised values TransformerLens's `hook_normalized` is in this family. */
  readonly normalized: 'normalized' | 'normalized_raw';
}

/** The program of a decoder-only language model. */
export const decoderProgram = (parts: DecoderParts): Program => {
  const { family, config, segments, tables, sizes } = parts;
  const { layers, heads, modelDim, vocab, maxPositions } = sizes;
  return {
    family,
    segments,
    inputs: { ids: { rule: 'ids' }, 'mask.causal': { rule: 'causal' }, ...parts.inputs },
    facts: {
      output: 'next',
      ...{ layers, heads, modelDim, vocab },
      ...(maxPositions === undefined ? {} : { maxPositions }),
      aliases: aliases([parts.names], segments, parts.normalized),
      ...tables,
    },
    config,
  };
};
