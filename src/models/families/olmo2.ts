import type { JsonObject } from '../../base/index.js';
import { building, inner, site, type Program, type Scope, type Value } from '../../graph/index.js';
import { mergeHeads, rotate, splitHeads } from '../parts/attention.js';
import { normedSublayers } from '../parts/blocks.js';
import { ConfigReader } from '../config/config-reader.js';
import { ropeRules } from '../layouts/decoder.js';
import type { Family, HasTensor } from '../family.js';
import { linear, rmsNorm, rmsNormalized, torchLinear } from '../parts/layers.js';
import { llamaLayout, llamaMlp, readSizes, sandwichModules, type LlamaSizes } from '../layouts/llama-layout.js';
import { attended } from '../parts/rotary-attention.js';
import type { BlockOutputs } from '../parts/segments.js';

const activationField = 'hidden_act';

/** Attention whose q and k are normed over all heads at once, before they are split. OLMo 2 §3. */
const attention = (s: Scope, x: Value, { c, bias }: { c: LlamaSizes; bias: boolean }): BlockOutputs =>
  building(s, () => {
    const flat = (name: string, heads: number): Value =>
      linear(s, x, torchLinear(name, heads * c.headDim, { axis: 'model', bias }));
    const split = (y: Value, heads: number): Value =>
      splitHeads(y, { heads, headDim: c.headDim, grouped: heads < c.heads });
    const normed = (y: Value, name: string): Value => rmsNormalized(s, y, { name, eps: c.eps });
    const rawQ = site(s, 'q', split(flat('q_proj', c.heads), c.heads)); // [batch, position, head, headDim]
    const rawK = site(s, 'k', split(flat('k_proj', c.kvHeads), c.kvHeads)); // [batch, position, kvHead, headDim]
    const v = site(s, 'v', split(flat('v_proj', c.kvHeads), c.kvHeads)); // [batch, position, kvHead, headDim]
    const q = site(s, 'q_normed', split(normed(mergeHeads(rawQ), 'q_norm'), c.heads));
    const k = site(s, 'k_normed', split(normed(mergeHeads(rawK), 'k_norm'), c.kvHeads));
    const [rotQ, rotK] = [site(s, 'rot_q', rotate(s, q)), site(s, 'rot_k', rotate(s, k))];
    return attended(s, { q: rotQ, k: rotK, v }, { ...c, bias: { qkv: bias, out: bias }, mask: 'causal' });
  });

/** OLMo Team 2024, "2 OLMo 2 Furious"; transformers `Olmo2ForCausalLM`: norms behind attention and MLP, none before. */
const build = (json: JsonObject, has: HasTensor): Program => {
  const c = new ConfigReader(json);
  const sizes = readSizes(c, { activationField, activation: 'silu', tied: false, maxPositions: 2048, eps: 1e-5 });
  const bias = c.boolean('attention_bias', false);
  c.finish();
  return llamaLayout({
    ...{ family: olmo2.name, config: json, has, sizes, inBlock: sandwichModules },
    block: (s, x) =>
      normedSublayers(s, x, {
        attention: (y) => attention(inner(s, 'attn', 'self_attn.'), y, { c: sizes, bias }),
        ln1Post: (y) => rmsNorm(inner(s, 'ln1_post', 'post_attention_layernorm.'), y, sizes.eps),
        mlp: (y) => llamaMlp(inner(s, 'mlp', 'mlp.'), y, { ...sizes, field: activationField }),
        ln2Post: (y) => rmsNorm(inner(s, 'ln2_post', 'post_feedforward_layernorm.'), y, sizes.eps),
      }),
    norm: (s, x) => rmsNorm(s, x, sizes.eps),
    inputs: ropeRules({ dim: sizes.headDim, ...sizes.rope }),
  });
};

export const olmo2: Family = {
  name: 'olmo2',
  architectures: ['Olmo2ForCausalLM', 'Olmo2Model'],
  activationField,
  ignoredTensors: /rotary_emb\.inv_freq$|^lm_head\.weight$/,
  build,
};
