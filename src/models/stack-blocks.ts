import { add, building, site, type Scope, type Value } from '../graph/index.js';
import type { BlockOutputs } from './segments.js';

/** The parts of a block of an encoder or a decoder, each from its input to its output. */
export interface StackBlockParts {
  readonly ln1: (x: Value) => Value;
  readonly attention: (x: Value) => BlockOutputs;
  /** A decoder's look at the encoder. */
  readonly cross?: { readonly ln: (x: Value) => Value; readonly attention: (x: Value) => Value };
  readonly ln2: (x: Value) => Value;
  readonly mlp: (x: Value) => Value;
}

/** Norms before each sublayer: x + f(ln(x)). Xiong 2020 fig. 1b. */
export const preNormStackBlock = (
  s: Scope,
  x: Value,
  { ln1, attention, cross, ln2, mlp }: StackBlockParts,
): BlockOutputs =>
  building(s, () => {
    const { resid, k, v } = attention(ln1(x));
    const mid = site(s, 'resid_mid', add(x, site(s, 'attn_out', resid)));
    const looked = (): Value | undefined =>
      cross && site(s, 'resid_cross', add(mid, site(s, 'cross_attn_out', cross.attention(cross.ln(mid)))));
    const before = looked() ?? mid;
    return { resid: site(s, 'resid_post', add(before, site(s, 'mlp_out', mlp(ln2(before))))), k, v };
  });

/** Norms after each sum: ln(x + f(x)). Vaswani 2017 §3.1. The stream is what the norms give. */
export const postNormStackBlock = (
  s: Scope,
  x: Value,
  { ln1, attention, cross, ln2, mlp }: StackBlockParts,
): BlockOutputs =>
  building(s, () => {
    const { resid, k, v } = attention(x);
    const mid = site(s, 'resid_mid', ln1(site(s, 'resid_mid_raw', add(x, site(s, 'attn_out', resid)))));
    const looked = (): Value | undefined =>
      cross &&
      site(
        s,
        'resid_cross',
        cross.ln(site(s, 'resid_cross_raw', add(mid, site(s, 'cross_attn_out', cross.attention(mid))))),
      );
    const before = looked() ?? mid;
    const sum = site(s, 'resid_post_raw', add(before, site(s, 'mlp_out', mlp(before))));
    return { resid: site(s, 'resid_post', ln2(sum)), k, v };
  });
