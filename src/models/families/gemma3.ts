import type { JsonObject } from '../../base/index.js';
import type { InputRule, Program } from '../../graph/index.js';
import { ConfigReader } from '../config/config-reader.js';
import { ropeRules } from '../layouts/decoder.js';
import type { Family, HasTensor } from '../family.js';
import { sandwichBlock } from './gemma2.js';
import { embeddingScale } from './gemma.js';
import { add } from '../../graph/index.js';
import { capped, offsetNorm, rmsNormalized } from '../parts/layers.js';
import { llamaLayout, readSizes, sandwichModules, windowedLayers } from '../layouts/llama-layout.js';
import { parseRopeOf, type RopeTable } from '../config/rope-config.js';
import type { RotaryAttention } from '../parts/rotary-attention.js';

const activationField = 'hidden_activation';

/** Two rotary tables: one for layers that see all keys, one for those that see a window. */
const tablesOf = (c: ConfigReader, maxPositions: number): { readonly full: RopeTable; readonly local: RopeTable } => {
  const local = c.number('rope_local_base_freq', 10000);
  return {
    full: parseRopeOf(c, 'full_attention', { maxPositions, base: 1000000 }),
    local: c.object('rope_parameters')?.object('sliding_attention')
      ? parseRopeOf(c, 'sliding_attention', { maxPositions, base: local })
      : { base: local, scaling: { kind: 'none' } },
  };
};

const optional = (c: ConfigReader, field: string): number | undefined =>
  c.raw(field) === undefined ? undefined : c.number(field);

const rules = (tables: ReturnType<typeof tablesOf>, dim: number): Readonly<Record<string, InputRule>> => ({
  ...ropeRules({ dim, ...tables.full }),
  ...ropeRules({ dim, ...tables.local }, 'rope_local'),
});

/** Gemma Team 2025, "Gemma 3"; transformers `Gemma3ForCausalLM`: normed q and k, five windowed layers to one full. */
const build = (json: JsonObject, has: HasTensor): Program => {
  const c = new ConfigReader(json);
  const defaults = { activation: 'gelu_pytorch_tanh', tied: true, maxPositions: 131072, headDim: 256 };
  const sizes = readSizes(c, { activationField, ...defaults, rope: (reader, max) => tablesOf(reader, max).full });
  const tables = tablesOf(c, sizes.maxPositions);
  const bias = c.boolean('attention_bias', false);
  const scale = c.number('query_pre_attn_scalar', 256) ** -0.5;
  c.raw('attn_logit_softcapping'); // transformers has the field and never reads it
  const finalCap = optional(c, 'final_logit_softcapping');
  const pattern = c.integer('sliding_window_pattern', c.integer('_sliding_window_pattern', 6));
  const windowed = windowedLayers(c, sizes.layers, (layer) => (layer + 1) % pattern !== 0);
  const window = c.integer('sliding_window', 4096);
  c.finish(['hidden_act', 'cache_implementation']);
  const attention = (layer: number): RotaryAttention => ({
    ...sizes,
    bias: { qkv: bias, out: bias },
    scale,
    norm: (s, name, x) => rmsNormalized(s, x, { name, eps: sizes.eps, gain: (w) => add(w, 1) }),
    rotation: windowed[layer] ? { table: 'rope_local' } : {},
    mask: windowed[layer] ? 'window' : 'causal',
  });
  return llamaLayout({
    ...{ family: gemma3.name, config: json, has, sizes, inBlock: sandwichModules },
    embedScale: embeddingScale(sizes.modelDim),
    block: (s, x, layer) => sandwichBlock(s, x, { sizes, attention: attention(layer) }),
    norm: (s, x) => offsetNorm(s, x, sizes.eps),
    finish: (logits) => capped(logits, finalCap),
    inputs: { ...rules(tables, sizes.headDim), 'mask.window': { rule: 'causal', window } },
  });
};

export const gemma3: Family = {
  name: 'gemma3_text',
  architectures: ['Gemma3ForCausalLM', 'Gemma3TextModel'],
  activationField,
  ignoredTensors: /rotary_emb\.inv_freq$|^lm_head\.weight$/,
  build,
};
