import type { JsonObject } from '../../base/index.js';
import { inner, type Program } from '../../graph/index.js';
import { preNormBlock } from '../parts/blocks.js';
import { ConfigReader } from '../config/config-reader.js';
import { ropeRules } from '../layouts/decoder.js';
import type { Family, HasTensor } from '../family.js';
import { rmsNorm, rmsNormalized } from '../parts/layers.js';
import { llamaLayout, llamaMlp, preNormModules, readSizes } from '../layouts/llama-layout.js';
import { qwenWindows } from '../config/qwen-windows.js';
import { rotaryAttention, type RotaryAttention } from '../parts/rotary-attention.js';

const activationField = 'hidden_act';

/** Yang et al. 2025, "Qwen3 Technical Report"; transformers `Qwen3ForCausalLM`: each head's q and k are normed. */
const build = (json: JsonObject, has: HasTensor): Program => {
  const c = new ConfigReader(json);
  const sizes = readSizes(c, { activationField, activation: 'silu', tied: false, maxPositions: 32768, headDim: 128 });
  const bias = c.boolean('attention_bias', false);
  const { windowed, rules } = qwenWindows(c, sizes.layers);
  c.finish();
  const attention: Omit<RotaryAttention, 'mask'> = {
    ...sizes,
    bias: { qkv: bias, out: bias },
    norm: (s, name, x) => rmsNormalized(s, x, { name, eps: sizes.eps }),
    rotation: {},
  };
  return llamaLayout({
    ...{ family: qwen3.name, config: json, has, sizes, inBlock: preNormModules },
    block: (s, x, layer) =>
      preNormBlock(s, x, {
        ln1: (y) => rmsNorm(inner(s, 'ln1', 'input_layernorm.'), y, sizes.eps),
        attention: (y) =>
          rotaryAttention(inner(s, 'attn', 'self_attn.'), y, {
            ...attention,
            mask: windowed[layer] ? 'window' : 'causal',
          }),
        ln2: (y) => rmsNorm(inner(s, 'ln2', 'post_attention_layernorm.'), y, sizes.eps),
        mlp: (y) => llamaMlp(inner(s, 'mlp', 'mlp.'), y, { ...sizes, field: activationField }),
      }),
    norm: (s, x) => rmsNorm(s, x, sizes.eps),
    inputs: { ...ropeRules({ dim: sizes.headDim, ...sizes.rope }), ...rules },
  });
};

export const qwen3: Family = {
  name: 'qwen3',
  architectures: ['Qwen3ForCausalLM', 'Qwen3Model'],
  activationField,
  ignoredTensors: /rotary_emb\.inv_freq$|^lm_head\.weight$/,
  build,
};
