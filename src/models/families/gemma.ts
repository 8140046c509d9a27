import type { JsonObject } from '../../base/index.js';
import { inner, type Program } from '../../graph/index.js';
import { preNormBlock } from '../parts/blocks.js';
import { ConfigReader } from '../config/config-reader.js';
import { ropeRules } from '../layouts/decoder.js';
import type { Family, HasTensor } from '../family.js';
import { offsetNorm } from '../parts/layers.js';
import { llamaLayout, llamaMlp, preNormModules, readSizes } from '../layouts/llama-layout.js';
import { rotaryAttention, type RotaryAttention } from '../parts/rotary-attention.js';

const activationField = 'hidden_act';

/** What the embedding is multiplied by: √model, in float32 as transformers has it. */
export const embeddingScale = (modelDim: number): number => Math.fround(Math.sqrt(modelDim));

/** Gemma Team 2024, "Gemma"; transformers `GemmaForCausalLM`: gains stored less 1, and a scaled embedding. */
const build = (json: JsonObject, has: HasTensor): Program => {
  const c = new ConfigReader(json);
  c.raw('hidden_activation'); // transformers 4.57 reads hidden_act alone
  const legacy = json[activationField] === 'gelu'; // tanh GELU is what the first releases mean by it
  const defaults = { activation: 'gelu_pytorch_tanh', tied: true, maxPositions: 8192, headDim: 256 };
  const given = readSizes(c, { activationField, ...defaults });
  const sizes = legacy ? { ...given, activation: 'gelu_pytorch_tanh' } : given;
  const bias = c.boolean('attention_bias', false);
  c.finish();
  const attention: RotaryAttention = { ...sizes, bias: { qkv: bias, out: bias }, rotation: {}, mask: 'causal' };
  return llamaLayout({
    ...{ family: gemma.name, config: json, has, sizes, inBlock: preNormModules },
    embedScale: embeddingScale(sizes.modelDim),
    block: (s, x) =>
      preNormBlock(s, x, {
        ln1: (y) => offsetNorm(inner(s, 'ln1', 'input_layernorm.'), y, sizes.eps),
        attention: (y) => rotaryAttention(inner(s, 'attn', 'self_attn.'), y, attention),
        ln2: (y) => offsetNorm(inner(s, 'ln2', 'post_attention_layernorm.'), y, sizes.eps),
        mlp: (y) => llamaMlp(inner(s, 'mlp', 'mlp.'), y, { ...sizes, field: activationField }),
      }),
    norm: (s, x) => offsetNorm(s, x, sizes.eps),
    inputs: ropeRules({ dim: sizes.headDim, ...sizes.rope }),
  });
};

export const gemma: Family = {
  name: 'gemma',
  architectures: ['GemmaForCausalLM', 'GemmaModel'],
  activationField,
  ignoredTensors: /rotary_emb\.inv_freq$|^lm_head\.weight$/,
  build,
};
