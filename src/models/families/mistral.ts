import type { JsonObject } from '../../base/index.js';
import { inner, type Program } from '../../graph/index.js';
import { preNormBlock } from '../parts/blocks.js';
import { ConfigReader } from '../config/config-reader.js';
import { ropeRules } from '../layouts/decoder.js';
import type { Family, HasTensor } from '../family.js';
import { rmsNorm } from '../parts/layers.js';
import { llamaLayout, llamaMlp, preNormModules, readSizes } from '../layouts/llama-layout.js';
import { rotaryAttention } from '../parts/rotary-attention.js';

const activationField = 'hidden_act';

/** Jiang et al. 2023, "Mistral 7B"; transformers `MistralForCausalLM`: Llama, each query seeing a window of keys. */
const build = (json: JsonObject, has: HasTensor): Program => {
  const c = new ConfigReader(json);
  const sizes = readSizes(c, { activationField, activation: 'silu', tied: false, maxPositions: 131072, kvHeads: 8 });
  const whole = json['sliding_window'] === null; // left out it is 4096
  const window = whole ? undefined : c.integer('sliding_window', 4096);
  c.finish();
  const attention = {
    ...sizes,
    bias: { qkv: false, out: false },
    rotation: {},
    mask: window === undefined ? ('causal' as const) : ('window' as const),
  };
  return llamaLayout({
    ...{ family: mistral.name, config: json, has, sizes, inBlock: preNormModules },
    block: (s, x) =>
      preNormBlock(s, x, {
        ln1: (y) => rmsNorm(inner(s, 'ln1', 'input_layernorm.'), y, sizes.eps),
        attention: (y) => rotaryAttention(inner(s, 'attn', 'self_attn.'), y, attention),
        ln2: (y) => rmsNorm(inner(s, 'ln2', 'post_attention_layernorm.'), y, sizes.eps),
        mlp: (y) => llamaMlp(inner(s, 'mlp', 'mlp.'), y, { ...sizes, field: activationField }),
      }),
    norm: (s, x) => rmsNorm(s, x, sizes.eps),
    inputs: {
      ...ropeRules({ dim: sizes.headDim, ...sizes.rope }),
      ...(window === undefined ? {} : { 'mask.window': { rule: 'causal', window } }),
    },
  });
};

export const mistral: Family = {
  name: 'mistral',
  architectures: ['MistralForCausalLM', 'MistralModel'],
  activationField,
  ignoredTensors: /rotary_emb\.inv_freq$|^lm_head\.weight$/,
  build,
};
