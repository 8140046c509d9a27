import type { JsonObject } from '../../base/index.js';
import { inner, type Program, type Scope, type Value } from '../../graph/index.js';
import { normedSublayers } from '../parts/blocks.js';
import { ConfigReader } from '../config/config-reader.js';
import { ropeRules } from '../layouts/decoder.js';
import type { Family, HasTensor } from '../family.js';
import { embeddingScale } from './gemma.js';
import { capped, offsetNorm } from '../parts/layers.js';
import {
  llamaLayout,
  llamaMlp,
  readSizes,
  sandwichModules,
  windowedLayers,
  type LlamaSizes,
} from '../layouts/llama-layout.js';
import { rotaryAttention, type RotaryAttention } from '../parts/rotary-attention.js';
import type { BlockOutputs } from '../parts/segments.js';

const activationField = 'hidden_activation';

/** Norms before and behind attention and MLP, as Gemma 2 and 3 have them. Gemma Team 2024 (Gemma 2) §2. */
export const sandwichBlock = (
  s: Scope,
  x: Value,
  { sizes, attention }: { readonly sizes: LlamaSizes; readonly attention: RotaryAttention },
): BlockOutputs => {
  const norm =
    (name: string, file: string) =>
    (y: Value): Value =>
      offsetNorm(inner(s, name, `${file}.`), y, sizes.eps);
  return normedSublayers(s, x, {
    ln1: norm('ln1', 'input_layernorm'),
    attention: (y) => rotaryAttention(inner(s, 'attn', 'self_attn.'), y, attention),
    ln1Post: norm('ln1_post', 'post_attention_layernorm'),
    ln2: norm('ln2', 'pre_feedforward_layernorm'),
    mlp: (y) => llamaMlp(inner(s, 'mlp', 'mlp.'), y, { ...sizes, field: activationField }),
    ln2Post: norm('ln2_post', 'post_feedforward_layernorm'),
  });
};

/** Scores of the vocabulary kept inside ±cap. */
const capOf = (c: ConfigReader, field: string, fallback: number): number | undefined =>
  c.config[field] === null ? undefined : c.number(field, fallback);

/** Gemma Team 2024, "Gemma 2"; transformers `Gemma2ForCausalLM`: capped scores, every second layer windowed. */
const build = (json: JsonObject, has: HasTensor): Program => {
  const c = new ConfigReader(json);
  const defaults = { activation: 'gelu_pytorch_tanh', tied: true, maxPositions: 8192, headDim: 256 };
  const sizes = readSizes(c, { activationField, ...defaults });
  const bias = c.boolean('attention_bias', false);
  const scale = c.number('query_pre_attn_scalar', 256) ** -0.5;
  const [scoreCap, finalCap] = [capOf(c, 'attn_logit_softcapping', 50), capOf(c, 'final_logit_softcapping', 30)];
  const windowed = windowedLayers(c, sizes.layers, (layer) => layer % 2 === 0);
  const window = c.integer('sliding_window', 4096);
  c.finish(['hidden_act', 'cache_implementation']); // transformers reads hidden_activation alone
  const attention = (layer: number): RotaryAttention => ({
    ...sizes,
    bias: { qkv: bias, out: bias },
    scale,
    rotation: {},
    mask: windowed[layer] ? 'window' : 'causal',
    ...(scoreCap === undefined ? {} : { cap: scoreCap }),
  });
  return llamaLayout({
    ...{ family: gemma2.name, config: json, has, sizes, inBlock: sandwichModules },
    embedScale: embeddingScale(sizes.modelDim),
    block: (s, x, layer) => sandwichBlock(s, x, { sizes, attention: attention(layer) }),
    norm: (s, x) => offsetNorm(s, x, sizes.eps),
    finish: (logits) => capped(logits, finalCap),
    inputs: { ...ropeRules({ dim: sizes.headDim, ...sizes.rope }), 'mask.window': { rule: 'causal', window } },
  });
};

export const gemma2: Family = {
  name: 'gemma2',
  architectures: ['Gemma2ForCausalLM', 'Gemma2Model'],
  activationField,
  ignoredTensors: /rotary_emb\.inv_freq$|^lm_head\.weight$/,
  build,
};
