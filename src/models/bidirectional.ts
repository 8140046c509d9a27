import { building, site, type Scope, type Value } from '../graph/index.js';
import { attend, attentionOutput, splitHeads } from './attention.js';
import { linear, torchLinear } from './layers.js';
import { paddingMask } from './sequence.js';

/** The linear layers of an attention in which every position sees every other, by their names in the file. */
export interface BidirectionalSpec {
  readonly heads: number;
  readonly modelDim: number;
  readonly names: { readonly q: string; readonly k: string; readonly v: string; readonly out: string };
}

/** softmax(QKᵀ/√d + M)V, where M hides padding alone. Vaswani 2017 eq. 1. [batch, position, model] -> the same */
export const bidirectional = (s: Scope, x: Value, { heads, modelDim, names }: BidirectionalSpec): Value =>
  building(s, () => {
    const headDim = modelDim / heads;
    const project = (name: string): Value =>
      splitHeads(linear(s, x, torchLinear(name, modelDim, { axis: 'model', bias: true })), { heads, headDim });
    const q = site(s, 'q', project(names.q)); // [batch, position, head, headDim]
    const k = site(s, 'k', project(names.k)); // [batch, position, head, headDim]
    const v = site(s, 'v', project(names.v)); // [batch, position, head, headDim]
    const z = attend(s, { q, k, v, scale: headDim ** -0.5, mask: paddingMask(s) }); // [batch, position, head, headDim]
    return attentionOutput(s, z, torchLinear(names.out, modelDim, { axis: 'model', bias: true }));
  });
