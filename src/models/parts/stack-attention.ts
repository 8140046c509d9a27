import { building, input, site, type Scope, type Value } from '../../graph/index.js';
import { attend, attendCached, attentionOutput, splitHeads, type AttentionInputs } from './attention.js';
import { linear, torchLinear, type LinearSpec } from './layers.js';
import type { BlockOutputs, CrossRows } from './segments.js';
import { causalMask, paddingMask, sourceMask } from './sequence.js';

/** How an encoder-decoder's family stores and scales its attention. */
export interface StackAttention {
  readonly modelDim: number;
  readonly heads: number;
  readonly headDim: number;
  /** Names of the matrices that make queries, keys, values and what is added to the stream. */
  readonly names: { readonly q: string; readonly k: string; readonly v: string; readonly out: string };
  /** Whether they have biases. */
  readonly bias: boolean;
  /** Multiplies q·k; left out: nothing does. */
  readonly scale?: number;
  /** Added to the scores, by the scope of the attention. [head, query, key] */
  readonly scoreBias?: (s: Scope) => Value;
}

/** One of q, k, v as a site. x [batch, position or source, model] -> [batch, position or source, head, headDim] */
const project = (s: Scope, x: Value, { a, name }: { a: StackAttention; name: 'q' | 'k' | 'v' }): Value => {
  const spec = torchLinear(a.names[name], a.heads * a.headDim, { axis: 'model', bias: a.bias });
  return site(s, name, splitHeads(linear(s, x, spec), a));
};

const output = (a: StackAttention): LinearSpec => torchLinear(a.names.out, a.modelDim, { axis: 'model', bias: a.bias });

/** What varies from family to family in the scores. */
const scoring = (s: Scope, { scale, scoreBias }: StackAttention): Pick<AttentionInputs, 'scale' | 'bias'> => ({
  ...(scale === undefined ? {} : { scale }),
  ...(scoreBias ? { bias: site(s, 'bias', scoreBias(s)) } : {}),
});

/** An encoder's: every token sees every other. */
export const encoderAttention = (s: Scope, x: Value, a: StackAttention): BlockOutputs =>
  building(s, () => {
    const [q, k, v] = [
      project(s, x, { a, name: 'q' }),
      project(s, x, { a, name: 'k' }),
      project(s, x, { a, name: 'v' }),
    ];
    const z = attend(s, { q, k, v, mask: paddingMask(s), ...scoring(s, a) }); // [batch, position, head, headDim]
    return { resid: attentionOutput(s, z, output(a)) };
  });

/** A decoder's: a token sees those before it. */
export const decoderAttention = (s: Scope, x: Value, a: StackAttention): BlockOutputs =>
  building(s, () => {
    const [q, k, v] = [
      project(s, x, { a, name: 'q' }),
      project(s, x, { a, name: 'k' }),
      project(s, x, { a, name: 'v' }),
    ];
    const z = attendCached(s, { q, k, v, mask: causalMask(s), ...scoring(s, a) }); // [batch, position, head, headDim]
    return { resid: attentionOutput(s, z, output(a)), k, v };
  });

/** The keys and values that a block's cross-attention takes from the encoder. Vaswani 2017 §3.2.3. */
export const crossRows = (s: Scope, source: Value, a: StackAttention): CrossRows =>
  building(s, () => ({ k: project(s, source, { a, name: 'k' }), v: project(s, source, { a, name: 'v' }) }));

/** A decoder's look at the encoder: queries of the stream, keys and values of `crossRows`. [batch, position, model] */
export const crossAttention = (s: Scope, x: Value, a: StackAttention): Value =>
  building(s, () => {
    const rows = (name: 'cross_k' | 'cross_v'): Value =>
      input(s, name, {
        dtype: 'float32',
        shape: ['batch', 'source', a.heads, a.headDim],
        axes: ['batch', 'source', 'head', 'headDim'],
      });
    const [q, k, v] = [project(s, x, { a, name: 'q' }), rows('cross_k'), rows('cross_v')];
    const z = attend(s, { q, k, v, mask: sourceMask(s), ...scoring(s, a) }); // [batch, position, head, headDim]
    return attentionOutput(s, z, output(a));
  });
