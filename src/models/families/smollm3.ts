import type { JsonObject } from '../../base/index.js';
import { inner, type Program } from '../../graph/index.js';
import { preNormBlock } from '../parts/blocks.js';
import { ConfigReader } from '../config/config-reader.js';
import { ropeRules } from '../layouts/decoder.js';
import type { Family, HasTensor } from '../family.js';
import { rmsNorm } from '../parts/layers.js';
import { llamaLayout, llamaMlp, preNormModules, readSizes, windowedLayers } from '../layouts/llama-layout.js';
import { rotaryAttention, type RotaryAttention } from '../parts/rotary-attention.js';

const activationField = 'hidden_act';

/** Which layers rotate positions in: `no_rope_layers` has a 1 for each that does. */
const rotatedLayers = (c: ConfigReader, layers: number): readonly boolean[] => {
  const interval = c.integer('no_rope_layer_interval', 4);
  const given = c.raw('no_rope_layers');
  const list: readonly unknown[] = Array.isArray(given) ? given : [];
  if (list.length === 0) return Array.from({ length: layers }, (_, layer) => (layer + 1) % interval !== 0);
  c.require(list.length === layers, 'no_rope_layers', `a list with an entry for each of the ${layers} layers`);
  return list.map((entry) => entry === 1);
};

/** Hugging Face 2025, "SmolLM3"; transformers `SmolLM3ForCausalLM`: Llama with layers without positions. Yang 2025 (RNoPE). */
const build = (json: JsonObject, has: HasTensor): Program => {
  const c = new ConfigReader(json);
  const defaults = { activation: 'silu', tied: true, maxPositions: 32768, kvHeads: 4, ropeBase: 2000000 };
  const sizes = readSizes(c, { activationField, ...defaults });
  const [attentionBias, mlpBias] = [c.boolean('attention_bias', false), c.boolean('mlp_bias', false)];
  const rotated = rotatedLayers(c, sizes.layers);
  const used = c.boolean('use_sliding_window', false) && c.raw('sliding_window') !== undefined;
  const window = used ? c.integer('sliding_window') : undefined;
  const windowed = windowedLayers(c, sizes.layers, (layer) => !rotated[layer]).map((w) => w && used);
  c.raw('sliding_window');
  c.finish();
  const attention = (layer: number): RotaryAttention => ({
    ...sizes,
    bias: { qkv: attentionBias, out: attentionBias },
    ...(rotated[layer] ? { rotation: {} } : {}),
    mask: windowed[layer] ? 'window' : 'causal',
  });
  return llamaLayout({
    ...{ family: smollm3.name, config: json, has, sizes, inBlock: preNormModules },
    block: (s, x, layer) =>
      preNormBlock(s, x, {
        ln1: (y) => rmsNorm(inner(s, 'ln1', 'input_layernorm.'), y, sizes.eps),
        attention: (y) => rotaryAttention(inner(s, 'attn', 'self_attn.'), y, attention(layer)),
        ln2: (y) => rmsNorm(inner(s, 'ln2', 'post_attention_layernorm.'), y, sizes.eps),
        mlp: (y) => llamaMlp(inner(s, 'mlp', 'mlp.'), y, { ...sizes, field: activationField, bias: mlpBias }),
      }),
    norm: (s, x) => rmsNorm(s, x, sizes.eps),
    inputs: {
      ...(rotated.includes(true) ? ropeRules({ dim: sizes.headDim, ...sizes.rope }) : {}),
      ...(window === undefined ? {} : { 'mask.window': { rule: 'causal', window } }),
    },
  });
};

export const smollm3: Family = {
  name: 'smollm3',
  architectures: ['SmolLM3ForCausalLM', 'SmolLM3Model'],
  activationField,
  ignoredTensors: /rotary_emb\.inv_freq$|^lm_head\.weight$/,
  build,
};
