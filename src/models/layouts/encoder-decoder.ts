import type { JsonObject } from '../../base/index.js';
import type { EncoderFacts, InputRule, Program, Segment } from '../../graph/index.js';
import { aliases, type AliasNames } from './aliases.js';
import type { TokenTables } from './decoder.js';
import type { HasTensor } from '../family.js';

/** The first of these names that the file has, else the first of all: tables that are one may stand under any. */
export const firstThere = (has: HasTensor, names: readonly [string, ...string[]]): string =>
  names.find((name) => has(name)) ?? names[0];

/** An encoder-decoder: what its config says, and its parts. */
export interface EncoderDecoderParts {
  readonly family: string;
  readonly config: JsonObject;
  /** Of the decoder. */
  readonly sizes: {
    readonly layers: number;
    readonly heads: number;
    readonly modelDim: number;
    readonly vocab: number;
    /** Left out where sequences may have any length. */
    readonly maxPositions?: number | undefined;
  };
  readonly encoder: EncoderFacts;
  /** Encoder, what hands over, decoder. */
  readonly segments: readonly Segment[];
  /** Rules beyond those of ids and masks. */
  readonly inputs: Readonly<Record<string, InputRule>>;
  readonly tables: TokenTables;
  readonly names: readonly AliasNames[];
}

/** The program of a model that reads a text and writes another. */
export const encoderDecoderProgram = (parts: EncoderDecoderParts): Program => {
  const { family, config, segments, tables, encoder } = parts;
  const { layers, heads, modelDim, vocab, maxPositions } = parts.sizes;
  return {
    family,
    segments,
    inputs: {
      'encoder.ids': { rule: 'ids' },
      'encoder.mask.padding': { rule: 'padding' },
      ids: { rule: 'ids' },
      'mask.causal': { rule: 'causal' },
      'mask.source': { rule: 'source' },
      ...parts.inputs,
    },
    facts: {
      output: 'next',
      ...{ layers, heads, modelDim, vocab, encoder },
      ...(maxPositions === undefined ? {} : { maxPositions }),
      aliases: aliases(parts.names, segments, 'normalized'),
      ...tables,
    },
    config,
  };
};
