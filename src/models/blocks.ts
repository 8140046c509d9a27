import { add, building, site, type Scope, type Value } from '../graph/index.js';
import type { BlockOutputs } from './segments.js';

/** The parts of a block, each from its input to its output. */
export interface BlockParts {
  readonly ln1: (x: Value) => Value;
  readonly attention: (x: Value) => BlockOutputs;
  readonly ln2: (x: Value) => Value;
  readonly mlp: (x: Value) => Value;
}

/** Norms before attention and MLP: x + attn(ln1(x)), then x + mlp(ln2(x)). Xiong 2020 fig. 1b. */
export const preNormBlock = (s: Scope, x: Value, { ln1, attention, ln2, mlp }: BlockParts): BlockOutputs =>
  building(s, () => {
    const { resid, k, v } = attention(ln1(x));
    const mid = site(s, 'resid_mid', add(x, site(s, 'attn_out', resid)));
    return { resid: site(s, 'resid_post', add(mid, site(s, 'mlp_out', mlp(ln2(mid))))), k, v };
  });
