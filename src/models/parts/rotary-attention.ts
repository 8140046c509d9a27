import { building, site, type Scope, type Value } from '../../graph/index.js';
import { attendCached, attentionOutput, rotate, splitHeads, type Rotation } from './attention.js';
import { linear, torchLinear } from './layers.js';
import type { BlockOutputs } from './segments.js';
import { causalMask } from './sequence.js';

/** How a family's attention differs from the others'. */
export interface RotaryAttention {
  readonly modelDim: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Whether the matrices have biases. */
  readonly bias: { readonly qkv: boolean; readonly out: boolean };
  /** What the file calls the output matrix; left out: `o_proj`. */
  readonly outName?: string;
  /** Multiplies q·k; left out: headDim^−½. */
  readonly scale?: number;
  /** A norm over each head's numbers, before rotation. Dehghani 2023 (QK norm). */
  readonly norm?: (s: Scope, name: 'q_norm' | 'k_norm', x: Value) => Value;
  /** Left out: positions are not rotated in (a layer without positions). */
  readonly rotation?: Rotation;
  readonly mask: 'causal' | 'window';
  readonly cap?: number;
}

/** Queries and keys as attention compares them. */
export const placed = (
  s: Scope,
  { q, k }: { readonly q: Value; readonly k: Value },
  { norm, rotation }: Pick<RotaryAttention, 'norm' | 'rotation'>,
): { readonly q: Value; readonly k: Value } => {
  const [normedQ, normedK] = norm
    ? [site(s, 'q_normed', norm(s, 'q_norm', q)), site(s, 'k_normed', norm(s, 'k_norm', k))]
    : [q, k];
  if (!rotation) return { q: normedQ, k: normedK };
  return { q: site(s, 'rot_q', rotate(s, normedQ, rotation)), k: site(s, 'rot_k', rotate(s, normedK, rotation)) };
};

/** softmax(QKᵀ/√d + M)V with rotary positions and grouped keys. Vaswani 2017 eq. 1; Su 2021; Ainslie 2023 §2.2. */
export const rotaryAttention = (s: Scope, x: Value, a: RotaryAttention): BlockOutputs =>
  building(s, () => {
    const project = (name: string, heads: number): Value => {
      const flat = linear(s, x, torchLinear(name, heads * a.headDim, { axis: 'model', bias: a.bias.qkv }));
      return splitHeads(flat, { heads, headDim: a.headDim, grouped: name !== 'q_proj' && a.kvHeads < a.heads });
    };
    const q = site(s, 'q', project('q_proj', a.heads)); // [batch, position, head, headDim]
    const k = site(s, 'k', project('k_proj', a.kvHeads)); // [batch, position, kvHead, headDim]
    const v = site(s, 'v', project('v_proj', a.kvHeads)); // [batch, position, kvHead, headDim]
    return attended(s, { ...placed(s, { q, k }, a), v }, a);
  });

/** From queries, keys and values to what is added to the stream. */
export const attended = (
  s: Scope,
  { q, k, v }: { readonly q: Value; readonly k: Value; readonly v: Value },
  a: Omit<RotaryAttention, 'norm' | 'rotation'>,
): BlockOutputs => {
  const { scale = a.headDim ** -0.5, cap, outName = 'o_proj' } = a;
  const z = attendCached(s, { q, k, v, scale, mask: causalMask(s, a.mask), ...(cap === undefined ? {} : { cap }) }); // [batch, position, head, headDim]
  const out = attentionOutput(s, z, torchLinear(outName, a.modelDim, { axis: 'model', bias: a.bias.out }));
  return { resid: out, k, v };
};
