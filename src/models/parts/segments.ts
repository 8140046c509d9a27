import { bug } from '../../base/index.js';
import {
  carried,
  encoded,
  GraphBuilder,
  reshape,
  site,
  topScope,
  type Scope,
  type Segment,
  type Stack,
  type Value,
} from '../../graph/index.js';
import { attentionCache } from './attention.js';
import { stream } from './sequence.js';

const inStack = (stack: Stack | undefined, name: string): string => (stack === undefined ? name : `${stack}.${name}`);

/** What a segment of a stack has beside its graph: an encoder runs in the prefill only. */
const placed = (stack: Stack | undefined): Pick<Segment, 'stack' | 'once'> => ({
  ...(stack === undefined ? {} : { stack }),
  ...(stack === 'encoder' ? { once: true } : {}),
});

/** The segment that makes the stream from token ids. */
export const embedSegment = (weights: string, build: (s: Scope) => Value, stack?: Stack): Segment => {
  const id = inStack(stack, 'embed');
  const builder = new GraphBuilder(id);
  const out = build(topScope(builder, stack ?? '', weights));
  return { id, kind: 'embed', ...placed(stack), graph: builder.finish({ [carried]: out }), cache: [] };
};

/** Where a block stands, and the form of what it reads and keeps. */
export interface BlockPlace {
  /** Prefix of its weights: `model.layers.3.`. */
  readonly weights: string;
  readonly modelDim: number;
  readonly stack?: Stack;
  /** Form of the keys and values that it keeps for later steps; left out where it keeps none, as an encoder's. */
  readonly cache?: { readonly kvHeads: number; readonly headDim: number };
}

/** What a block's builder gives back: the stream after it, and the new rows of its cache, if it has one. */
export interface BlockOutputs {
  readonly resid: Value;
  /** [batch, position, kvHead, headDim] */
  readonly k?: Value | undefined;
  readonly v?: Value | undefined;
}

const freshRows = (id: string, { k, v }: BlockOutputs): { readonly fresh_k: Value; readonly fresh_v: Value } => {
  if (!k || !v) throw bug(`${id} gives no keys and values to keep`);
  return { fresh_k: k, fresh_v: v };
};

/** A block: stream in, stream out, with its keys and values for later steps. */
export const blockSegment = (
  layer: number,
  { weights, modelDim, stack, cache }: BlockPlace,
  build: (s: Scope, x: Value) => BlockOutputs,
): Segment => {
  const id = inStack(stack, `blocks.${layer}`);
  const builder = new GraphBuilder(id);
  const s = topScope(builder, id, weights);
  const outputs = build(s, site(s, 'resid_pre', stream(s, carried, modelDim)));
  const graph = builder.finish({ [carried]: outputs.resid, ...(cache ? freshRows(id, outputs) : {}) });
  return {
    ...{ id, kind: 'block', ...placed(stack), layer, graph },
    cache: cache ? attentionCache(cache.kvHeads, cache.headDim) : [],
    ...(stack === 'decoder' ? { reads: { cross_k: `cross_k.${layer}`, cross_v: `cross_v.${layer}` } } : {}),
  };
};

/** The end of an encoder: what the decoder reads, from the stream. */
export const encodedSegment = (modelDim: number, weights: string, build: (s: Scope, x: Value) => Value): Segment => {
  const builder = new GraphBuilder('encoder.norm');
  const s = topScope(builder, 'encoder', weights);
  const read = reshape(build(s, stream(s, carried, modelDim)), [0, 0, modelDim], ['batch', 'source', 'model']);
  const graph = builder.finish({ [encoded]: read });
  return { id: 'encoder.norm', kind: 'norm', ...placed('encoder'), graph, cache: [] };
};

/** The keys and values that one decoder block takes from the encoder. [batch, source, head, headDim] */
export interface CrossRows {
  readonly k: Value;
  readonly v: Value;
}

/**
 * What all decoder blocks take from the encoder, made once a sequence: outputs `cross_k.L` and `cross_v.L`.
 * @param build for the block's scope `decoder.blocks.L`, whose weights have the prefix that `weights` gives
 */
export const crossSegment = (
  {
    layers,
    modelDim,
    weights,
  }: { readonly layers: number; readonly modelDim: number; readonly weights: (layer: number) => string },
  build: (s: Scope, source: Value) => CrossRows,
): Segment => {
  const builder = new GraphBuilder('decoder.cross');
  const source = builder.input(encoded, {
    dtype: 'float32',
    shape: ['batch', 'source', modelDim],
    axes: ['batch', 'source', 'model'],
  });
  const outputs: Record<string, Value> = {};
  for (let layer = 0; layer < layers; layer++) {
    const { k, v } = build(topScope(builder, `decoder.blocks.${layer}`, weights(layer)), source);
    Object.assign(outputs, { [`cross_k.${layer}`]: k, [`cross_v.${layer}`]: v });
  }
  return {
    id: 'decoder.cross',
    kind: 'cross',
    stack: 'decoder',
    once: true,
    graph: builder.finish(outputs),
    cache: [],
  };
};

/** The segment that scores from the stream: every token, or labels. */
export const headSegment = (
  modelDim: number,
  { weights, stack }: { readonly weights: string; readonly stack?: Stack },
  build: (s: Scope, x: Value) => Value,
): Segment => {
  const builder = new GraphBuilder('head');
  const s = topScope(builder, stack ?? '', weights);
  const logits = builder.site('logits', build(s, stream(s, carried, modelDim)));
  return { id: 'head', kind: 'head', ...placed(stack), graph: builder.finish({ logits }), cache: [] };
};
