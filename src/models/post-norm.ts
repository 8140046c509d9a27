import { add, building, site, type Scope, type Value } from '../graph/index.js';
import type { BlockParts } from './blocks.js';
import type { BlockOutputs } from './segments.js';

/** Norms behind attention and MLP: ln1(x + attn(x)), then ln2(x + mlp(x)). Vaswani 2017 §3.1. */
export const postNormBlock = (s: Scope, x: Value, { attention, ln1, mlp, ln2 }: BlockParts): BlockOutputs =>
  building(s, () => {
    const { resid, k, v } = attention(x);
    const mid = site(s, 'resid_mid', ln1(site(s, 'resid_mid_raw', add(x, site(s, 'attn_out', resid)))));
    const sum = site(s, 'resid_post_raw', add(mid, site(s, 'mlp_out', mlp(mid))));
    return { resid: site(s, 'resid_post', ln2(sum)), k, v };
  });
