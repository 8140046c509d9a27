import { add, building, inner, site, type Scope, type Value } from '../../graph/index.js';
import type { BlockOutputs } from './segments.js';

/** The parts of a block, each from its input to its output. */
export interface BlockParts {
  readonly ln1: (x: Value) => Value;
  readonly attention: (x: Value) => BlockOutputs;
  /** A decoder's look at the encoder, between the two. */
  readonly cross?: { readonly ln: (x: Value) => Value; readonly attention: (x: Value) => Value };
  readonly ln2: (x: Value) => Value;
  readonly mlp: (x: Value) => Value;
}

/** The parts of a block with norms behind attention and MLP, and before them where the family has those too. */
export interface PostNormParts extends Pick<BlockParts, 'attention' | 'mlp'> {
  readonly ln1?: (x: Value) => Value;
  readonly ln2?: (x: Value) => Value;
  readonly ln1Post: (x: Value) => Value;
  readonly ln2Post: (x: Value) => Value;
}

/** The parts of a block whose attention and MLP read the same stream. */
export interface ParallelParts extends Omit<BlockParts, 'ln2' | 'cross'> {
  /** Left out: the MLP reads what attention reads. */
  readonly ln2?: (x: Value) => Value;
}

const unchanged = (x: Value): Value => x;

/** What is added to the stream is normed: x + ln1_post(attn(ln1(x))), and so the MLP. Gemma 2 §2; OLMo 2 §3. */
export const normedSublayers = (s: Scope, x: Value, parts: PostNormParts): BlockOutputs =>
  building(s, () => {
    const { ln1 = unchanged, attention, ln1Post, ln2 = unchanged, mlp, ln2Post } = parts;
    const { resid, k, v } = attention(ln1(x));
    const attnOut = ln1Post(site(inner(s, 'attn'), 'out_raw', resid));
    const mid = site(s, 'resid_mid', add(x, site(s, 'attn_out', attnOut)));
    const mlpOut = ln2Post(site(inner(s, 'mlp'), 'out_raw', mlp(ln2(mid))));
    return { resid: site(s, 'resid_post', add(mid, site(s, 'mlp_out', mlpOut))), k, v };
  });

/** Norms before each sublayer: x + f(ln(x)), for attention, cross-attention and MLP in turn. Xiong 2020 fig. 1b. */
export const preNormBlock = (s: Scope, x: Value, { ln1, attention, cross, ln2, mlp }: BlockParts): BlockOutputs =>
  building(s, () => {
    const { resid, k, v } = attention(ln1(x));
    const mid = site(s, 'resid_mid', add(x, site(s, 'attn_out', resid)));
    const looked = (): Value | undefined =>
      cross && site(s, 'resid_cross', add(mid, site(s, 'cross_attn_out', cross.attention(cross.ln(mid)))));
    const before = looked() ?? mid;
    return { resid: site(s, 'resid_post', add(before, site(s, 'mlp_out', mlp(ln2(before))))), k, v };
  });

/** Norms of the sums: ln(x + f(x)), for attention, cross-attention and MLP in turn. Vaswani 2017 §3.1. */
export const postNormBlock = (s: Scope, x: Value, { ln1, attention, cross, ln2, mlp }: BlockParts): BlockOutputs =>
  building(s, () => {
    const { resid, k, v } = attention(x);
    const mid = site(s, 'resid_mid', ln1(site(s, 'resid_mid_raw', add(x, site(s, 'attn_out', resid)))));
    const sumWith = (y: Value): Value => site(s, 'resid_cross_raw', add(mid, site(s, 'cross_attn_out', y)));
    const looked = (): Value | undefined => cross && site(s, 'resid_cross', cross.ln(sumWith(cross.attention(mid))));
    const before = looked() ?? mid;
    const sum = site(s, 'resid_post_raw', add(before, site(s, 'mlp_out', mlp(before))));
    return { resid: site(s, 'resid_post', ln2(sum)), k, v };
  });

/** Attention and MLP read the same stream: x + attn(ln1(x)) + mlp(ln2(x)). Wang & Komatsuzaki 2021 (GPT-J). */
export const parallelBlock = (s: Scope, x: Value, { ln1, attention, ln2, mlp }: ParallelParts): BlockOutputs =>
  building(s, () => {
    const normed = ln1(x);
    const { resid, k, v } = attention(normed);
    const [attnOut, mlpOut] = [site(s, 'attn_out', resid), site(s, 'mlp_out', mlp(ln2 ? ln2(x) : normed))];
    return { resid: site(s, 'resid_post', add(add(mlpOut, attnOut), x)), k, v };
  });
