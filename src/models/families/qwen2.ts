import type { JsonObject } from '../../base/index.js';
import { inner, type Program } from '../../graph/index.js';
import { preNormBlock } from '../parts/blocks.js';
import { ConfigReader } from '../config/config-reader.js';
import { ropeRules } from '../layouts/decoder.js';
import type { Family, HasTensor } from '../family.js';
import { rmsNorm } from '../parts/layers.js';
import { llamaLayout, llamaMlp, preNormModules, readSizes } from '../layouts/llama-layout.js';
import { qwenWindows } from '../config/qwen-windows.js';
import { rotaryAttention } from '../parts/rotary-attention.js';

const activationField = 'hidden_act';

/** Yang et al. 2024, "Qwen2 Technical Report"; transformers `Qwen2ForCausalLM`: Llama with biases on q, k and v. */
const build = (json: JsonObject, has: HasTensor): Program => {
  const c = new ConfigReader(json);
  const sizes = readSizes(c, { activationField, activation: 'silu', tied: false, maxPositions: 32768 });
  const { windowed, rules } = qwenWindows(c, sizes.layers);
  c.finish();
  const attention = { ...sizes, bias: { qkv: true, out: false }, rotation: {} };
  return llamaLayout({
    ...{ family: qwen2.name, config: json, has, sizes, inBlock: preNormModules },
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

export const qwen2: Family = {
  name: 'qwen2',
  architectures: ['Qwen2ForCausalLM', 'Qwen2Model'],
  activationField,
  ignoredTensors: /rotary_emb\.inv_freq$|^lm_head\.weight$/,
  build,
};
