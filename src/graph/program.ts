import type { JsonObject } from '../base/index.js';
import type { Graph } from './graph.js';

/**
 * How an input that segments share is made for a run, from the tokens of the segment's stack. The engine makes it;
 * the family only says which. Where nothing else is said, a mask is 0 where a key may be seen and the float32
 * minimum where not.
 */
export type InputRule =
  /** [batch, position] int64. */
  | { readonly rule: 'ids' }
  /**
   * [batch, position] int64: absolute positions, plus `offset`. `skipping`: tokens of this id are not counted and
   * stand at the offset minus one, as RoBERTa does with padding.
   */
  | { readonly rule: 'positions'; readonly offset?: number; readonly skipping?: number }
  /** [batch, position] int64: the kind of each token, all of the first. */
  | { readonly rule: 'types' }
  /** [1, position, dim]: sines, then cosines. Vaswani 2017 §3.5, halves instead of alternating. */
  | { readonly rule: 'sinusoid'; readonly dim: number }
  /** [batch, 1, position, key]: keys up to the query; `window`: only so many, the query's own included. */
  | { readonly rule: 'causal'; readonly window?: number }
  /** [batch, 1, 1, position]: keys that are tokens, not padding. */
  | { readonly rule: 'padding' }
  /** [batch, 1, 1, source]: the encoder's tokens, not its padding. */
  | { readonly rule: 'source' }
  /** [position, key] int64: how far a key is from the query, in classes. Raffel 2020 §2.1. */
  | {
      readonly rule: 'distance';
      readonly buckets: number;
      readonly maxDistance: number;
      /** Keys after the query have classes of their own. */
      readonly bidirectional: boolean;
    }
  /** [1, position, 1, dim]: cosines or sines for each absolute position. */
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
  /** Each frequency is divided by its own factor; by the long ones once the sequence is longer than the original. */
  | {
      readonly kind: 'longrope';
      readonly shortFactors: readonly number[];
      readonly longFactors: readonly number[];
      readonly originalLength: number;
      /** Multiplies cosines and sines. */
      readonly attentionFactor: number;
    }
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

/** The half of an encoder-decoder that a segment is in. */
export type Stack = 'encoder' | 'decoder';

/**
 * A part of the model that runs as one. It reads values that segments before it handed on, and hands on each output
 * that is neither `logits` nor a new row of its cache.
 */
export interface Segment {
  /** `embed`, `blocks.3`, `decoder.blocks.3`, `head`; sites of the segment start with it where it is a block. */
  readonly id: string;
  /** `norm`: what ends an encoder; `cross`: the keys and values that a decoder takes from it. */
  readonly kind: 'embed' | 'block' | 'norm' | 'cross' | 'head';
  /** Left out in a model of one stack. */
  readonly stack?: Stack;
  /** 0-based, of a block. */
  readonly layer?: number;
  readonly graph: Graph;
  readonly cache: readonly CacheSpec[];
  /** Under which name a value was handed on that the graph reads under another: `cross_k` is `cross_k.3`. */
  readonly reads?: Readonly<Record<string, string>>;
  /** Runs in the prefill only, since it does not depend on the tokens that are made: the encoder, and `cross`. */
  readonly once?: true;
}

/** A family's answer to a config: the whole computation, segment by segment, and how its inputs are made. */
export interface Program {
  readonly family: string;
  readonly segments: readonly Segment[];
  /** Rules for the inputs that are not handed on from segment to segment. */
  readonly inputs: Readonly<Record<string, InputRule>>;
  readonly facts: ModelFacts;
  /** The config as the family read it. */
  readonly config: JsonObject;
}

/** What everybody needs to know of a model. */
export interface ModelFacts {
  /** What the scores are of: the next token, the token at each position, or labels for the whole text. */
  readonly output: 'next' | 'masks' | 'labels';
  /** Blocks; of an encoder-decoder, those of the decoder. */
  readonly layers: number;
  readonly heads: number;
  readonly modelDim: number;
  readonly vocab: number;
  /** The longest sequence, in tokens; undefined where there is no end. */
  readonly maxPositions?: number;
  /** What only an encoder-decoder has. */
  readonly encoder?: EncoderFacts;
  /** Names of the labels, by id, of a classifier. */
  readonly labels?: readonly string[];
  /** Other names of sites: TransformerLens's and Hugging Face's, to the canonical one. */
  readonly aliases: ReadonlyMap<string, string>;
  /** The parameters that embed a token and score it, for directions. */
  readonly embedding: string;
  readonly unembedding: string;
}

/** The first half of an encoder-decoder, and how the second begins. */
export interface EncoderFacts {
  readonly layers: number;
  /** Tokens of the source's vocabulary, which need not be the decoder's. */
  readonly vocab: number;
  /** The longest source, in tokens; undefined where there is no end. */
  readonly maxPositions?: number;
  /** The token that the decoder's sequence begins with. */
  readonly start: number;
}

/** The residual stream, which segments hand on: input of the next and output of the last. */
export const carried = 'resid';

/** The encoder's last hidden state, which the decoder's cross-attention reads. */
export const encoded = 'source';

/** The names of what a segment hands on. */
export const handedOn = (segment: Segment): readonly string[] => {
  const own = new Set(['logits', ...segment.cache.map((c) => c.fresh)]);
  return segment.graph.outputs.map((o) => o.name).filter((name) => !own.has(name));
};

/** Under which name a value that the segment's graph reads was handed on. */
export const readName = (segment: Segment, input: string): string => segment.reads?.[input] ?? input;
