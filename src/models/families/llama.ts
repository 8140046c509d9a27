import type { JsonObject } from '../../base/index.js';
import { inner, type Program } from '../../graph/index.js';
import { preNormBlock } from '../parts/blocks.js';
import { ConfigReader, unsupportedField } from '../config/config-reader.js';
import { ropeRules } from '../layouts/decoder.js';
import type { Family, HasTensor } from '../family.js';
import { rmsNorm } from '../parts/layers.js';
import { llamaLayout, llamaMlp, preNormModules, readSizes } from '../layouts/llama-layout.js';
import { rotaryAttention, type RotaryAttention } from '../parts/rotary-attention.js';

const activationField = 'hidden_act';

const checkSlices = (c: ConfigReader, modelDim: number): void => {
  const slices = c.integer('pretraining_tp', 1); // only splits the products; transformers 4.50 dropped it
  if (slices > 1 && modelDim % slices !== 0)
    throw unsupportedField('pretraining_tp', slices, 'It must divide hidden_size.');
};

/** Touvron et al. 2023, "LLaMA: Open and Efficient Foundation Language Models"; transformers `LlamaForCausalLM`. */
const build = (json: JsonObject, has: HasTensor): Program => {
  const c = new ConfigReader(json);
  const sizes = readSizes(c, { activationField, activation: 'silu', tied: false, maxPositions: 2048 });
  const [attentionBias, mlpBias] = [c.boolean('attention_bias', false), c.boolean('mlp_bias', false)];
  checkSlices(c, sizes.modelDim);
  c.finish();
  const attention: RotaryAttention = {
    ...sizes,
    bias: { qkv: attentionBias, out: attentionBias },
    rotation: {},
    mask: 'causal',
  };
  return llamaLayout({
    ...{ family: llama.name, config: json, has, sizes, inBlock: preNormModules },
    block: (s, x) =>
      preNormBlock(s, x, {
        ln1: (y) => rmsNorm(inner(s, 'ln1', 'input_layernorm.'), y, sizes.eps),
        attention: (y) => rotaryAttention(inner(s, 'attn', 'self_attn.'), y, attention),
        ln2: (y) => rmsNorm(inner(s, 'ln2', 'post_attention_layernorm.'), y, sizes.eps),
        mlp: (y) => llamaMlp(inner(s, 'mlp', 'mlp.'), y, { ...sizes, field: activationField, bias: mlpBias }),
      }),
    norm: (s, x) => rmsNorm(s, x, sizes.eps),
    inputs: ropeRules({ dim: sizes.headDim, ...sizes.rope }),
  });
};

export const llama: Family = {
  name: 'llama',
  architectures: ['LlamaForCausalLM', 'LlamaModel'],
  activationField,
  ignoredTensors: /rotary_emb\.inv_freq$|^lm_head\.weight$/,
  build,
};
