import type { JsonObject } from '../../base/index.js';
import { building, inner, mul, site, slice, type Program, type Scope, type Value } from '../../graph/index.js';
import { activation } from '../parts/activations.js';
import type { AliasNames } from '../layouts/aliases.js';
import { splitHeads, type Rotation } from '../parts/attention.js';
import { preNormBlock } from '../parts/blocks.js';
import { ConfigReader } from '../config/config-reader.js';
import { ropeRules } from '../layouts/decoder.js';
import type { Family, HasTensor } from '../family.js';
import { linear, rmsNorm, torchLinear } from '../parts/layers.js';
import { llamaLayout, preNormModules, readSizes, type LlamaSizes } from '../layouts/llama-layout.js';
import { parseRope, partialRotary } from '../config/rope-config.js';
import { attended, placed, type RotaryAttention } from '../parts/rotary-attention.js';
import type { BlockOutputs } from '../parts/segments.js';

const activationField = 'hidden_act';

interface Phi3Attention extends LlamaSizes {
  readonly rotation: Rotation;
  readonly mask: RotaryAttention['mask'];
}

/** Queries, keys and values come from one matrix, in this order. */
const attention = (s: Scope, x: Value, c: Phi3Attention): BlockOutputs =>
  building(s, () => {
    const [wide, narrow] = [c.heads * c.headDim, c.kvHeads * c.headDim];
    const qkv = linear(s, x, torchLinear('qkv_proj', wide + 2 * narrow, { axis: 'model', bias: false }));
    const part = (start: number, heads: number): Value =>
      splitHeads(slice(qkv, start, start + heads * c.headDim), {
        heads,
        headDim: c.headDim,
        grouped: start > 0 && c.kvHeads < c.heads,
      });
    const q = site(s, 'q', part(0, c.heads)); // [batch, position, head, headDim]
    const k = site(s, 'k', part(wide, c.kvHeads)); // [batch, position, kvHead, headDim]
    const v = site(s, 'v', part(wide + narrow, c.kvHeads)); // [batch, position, kvHead, headDim]
    const bias = { qkv: false, out: false };
    return attended(s, { ...placed(s, { q, k }, c), v }, { ...c, bias });
  });

/** act(gate) ⊙ up, then down; gate and up come from one matrix. */
const mlp = (s: Scope, x: Value, c: LlamaSizes): Value =>
  building(s, () => {
    const both = linear(s, x, torchLinear('gate_up_proj', 2 * c.neurons, { axis: 'neuron', bias: false }));
    const pre = site(s, 'pre', slice(both, 0, c.neurons)); // [batch, position, neuron]
    const preLinear = site(s, 'pre_linear', slice(both, c.neurons, 2 * c.neurons)); // [batch, position, neuron]
    const post = site(s, 'post', mul(activation(activationField, c.activation)(pre), preLinear));
    return linear(s, post, torchLinear('down_proj', c.modelDim, { axis: 'model', bias: false }));
  });

const modules: AliasNames['inBlock'] = Object.fromEntries(
  Object.entries(preNormModules).filter(([module]) => !/gate_proj|up_proj/.test(module)),
);

/** Abdin et al. 2024, "Phi-3 Technical Report"; transformers `Phi3ForCausalLM`. */
const build = (json: JsonObject, has: HasTensor): Program => {
  const c = new ConfigReader(json);
  const originalLength = c.integer('original_max_position_embeddings', 4096);
  const rope = (reader: ConfigReader, maxPositions: number) => parseRope(reader, { maxPositions, originalLength });
  const sizes = readSizes(c, { activationField, activation: 'silu', tied: false, maxPositions: 4096, eps: 1e-5, rope });
  const dim = partialRotary(c, { field: 'partial_rotary_factor', headDim: sizes.headDim, fallback: 1 });
  const window = c.raw('sliding_window') === undefined ? undefined : c.integer('sliding_window');
  c.finish();
  const own = { ...sizes, rotation: { dim }, mask: window === undefined ? ('causal' as const) : ('window' as const) };
  return llamaLayout({
    ...{ family: phi3.name, config: json, has, sizes, inBlock: modules },
    block: (s, x) =>
      preNormBlock(s, x, {
        ln1: (y) => rmsNorm(inner(s, 'ln1', 'input_layernorm.'), y, sizes.eps),
        attention: (y) => attention(inner(s, 'attn', 'self_attn.'), y, own),
        ln2: (y) => rmsNorm(inner(s, 'ln2', 'post_attention_layernorm.'), y, sizes.eps),
        mlp: (y) => mlp(inner(s, 'mlp', 'mlp.'), y, sizes),
      }),
    norm: (s, x) => rmsNorm(s, x, sizes.eps),
    inputs: {
      ...ropeRules({ dim, ...sizes.rope }),
      ...(window === undefined ? {} : { 'mask.window': { rule: 'causal', window } }),
    },
  });
};

export const phi3: Family = {
  name: 'phi3',
  architectures: ['Phi3ForCausalLM', 'Phi3Model'],
  activationField,
  ignoredTensors: /rotary_emb\.inv_freq$|^lm_head\.weight$/,
  build,
};
