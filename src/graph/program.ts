import type { JsonObject } from '../base/index.js';
import type { Graph } from './graph.js';

/**
 * How an input that all segments share is made for a run. The engine makes it; the family only says which.
 * Shapes: `ids`, `positions` [batch, position]; `causal` [batch, 1, position, key], 0 where a key may be
 * seen and the float32 minimum where not; `rope` [1, position, 1, headDim], cosines or sines for each absolute position.
 */
export type InputRule =
  | { readonly rule: 'ids' }
  | { readonly rule: 'positions' }
  | { readonly rule: 'causal' }
  | { readonly rule: 'rope'; readonly part: 'cos' | 'sin'; readonly rope: Rope };

/** Rotary position embedding: which frequencies, and how they are stretched beyond the trained length. */
export interface Rope {
  /** How many of a head's numbers are rotated; even. */
  readonly dim: number;
  readonly base: number;
  readonly scaling: RopeScaling;
}

export type RopeScaling =
  | { readonly kind: 'none' }
  | { readonly kind: 'linear'; readonly factor: number }
  | { readonly kind: 'dynamic'; readonly factor: number; readonly originalLength: number }
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalLength: number;
    }
  | {
      readonly kind: 'yarn';
      readonly factor: number;
      readonly originalLength: number;
      readonly betaFast: number;
      readonly betaSlow: number;
      readonly truncate: boolean;
      /** Multiplies cosines and sines. */
      readonly attentionFactor: number;
    };

/** What a segment hands to later runs of itself: rows of keys and values, appended at each step. */
export interface CacheSpec {
  /** Graph input with the rows so far [batch, past, kvHead, headDim], and output with the new ones. */
  readonly past: string;
  readonly fresh: string;
  readonly heads: number;
  readonly headDim: number;
}

/** A part of the model that runs as one: the embedding, a block, the head. */
export interface Segment {
  /** `embed`, `blocks.3`, `head`; sites of the segment start with it where it is a block. */
  readonly id: string;
  readonly kind: 'embed' | 'block' | 'head';
  readonly graph: Graph;
  readonly cache: readonly CacheSpec[];
}

/** A family's answer to a config: the whole computation, segment by segment, and how its inputs are made. */
export interface Program {
  readonly family: string;
  readonly segments: readonly Segment[];
  /** Rules for the inputs that are not carried from segment to segment. */
  readonly inputs: Readonly<Record<string, InputRule>>;
  readonly facts: ModelFacts;
  /** The config as the family read it. */
  readonly config: JsonObject;
}

/** What everybody needs to know of a model. */
export interface ModelFacts {
  readonly layers: number;
  readonly heads: number;
  readonly modelDim: number;
  readonly vocab: number;
  /** The longest sequence, in tokens; undefined where there is no end. */
  readonly maxPositions?: number;
  /** Other names of sites: TransformerLens's and Hugging Face's, to the canonical one. */
  readonly aliases: ReadonlyMap<string, string>;
  /** The parameters that embed a token and score it, for directions. */
  readonly embedding: string;
  readonly unembedding: string;
}

/** The value that segments hand on: input of the next and output of the last. */
export const carried = 'resid';
