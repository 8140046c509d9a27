import { carried, GraphBuilder, input, site, topScope, type Scope, type Segment, type Value } from '../graph/index.js';
import { attentionCache } from './attention.js';

/** [batch, position] integers, given at each run. */
export const integers = (s: Scope, name: 'ids' | 'positions'): Value =>
  input(s, name, { dtype: 'int64', shape: ['batch', 'position'], axes: ['batch', 'position'] });

const stream = (s: Scope, modelDim: number): Value =>
  input(s, carried, {
    dtype: 'float32',
    shape: ['batch', 'position', modelDim],
    axes: ['batch', 'position', 'model'],
  });

/** The segment that makes the stream from token ids. */
export const embedSegment = (weights: string, build: (s: Scope) => Value): Segment => {
  const builder = new GraphBuilder('embed');
  const out = build(topScope(builder, '', weights));
  return { id: 'embed', kind: 'embed', graph: builder.finish({ [carried]: out }), cache: [] };
};

export interface BlockShape {
  readonly modelDim: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** What a block's builder gives back: the stream after it, and the new rows of its cache. */
export interface BlockOutputs {
  readonly resid: Value;
  readonly k: Value;
  readonly v: Value;
}

/** A block: stream in, stream out, with its keys and values for later steps. */
export const blockSegment = (
  layer: number,
  { shape, weights }: { readonly shape: BlockShape; readonly weights: string },
  build: (s: Scope, x: Value) => BlockOutputs,
): Segment => {
  const id = `blocks.${layer}`;
  const builder = new GraphBuilder(id);
  const s = topScope(builder, id, weights);
  const { resid, k, v } = build(s, site(s, 'resid_pre', stream(s, shape.modelDim)));
  const graph = builder.finish({ [carried]: resid, fresh_k: k, fresh_v: v });
  return { id, kind: 'block', graph, cache: attentionCache(shape.kvHeads, shape.headDim) };
};

/** The segment that scores every token from the stream. */
export const headSegment = (modelDim: number, weights: string, build: (s: Scope, x: Value) => Value): Segment => {
  const builder = new GraphBuilder('head');
  const s = topScope(builder, '', weights);
  const logits = build(s, stream(s, modelDim));
  return { id: 'head', kind: 'head', graph: builder.finish({ logits: site(s, 'logits', logits) }), cache: [] };
};
