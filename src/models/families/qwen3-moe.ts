import type { JsonObject } from '../../base/index.js';
import { inner, type Program, type Scope, type Value } from '../../graph/index.js';
import { activation } from '../parts/activations.js';
import type { AliasNames } from '../layouts/aliases.js';
import { preNormBlock } from '../parts/blocks.js';
import { ConfigReader } from '../config/config-reader.js';
import { ropeRules } from '../layouts/decoder.js';
import type { Family, HasTensor } from '../family.js';
import { rmsNorm, rmsNormalized } from '../parts/layers.js';
import {
  attentionModules,
  llamaLayout,
  llamaMlp,
  preNormModules,
  readSizes,
  type LlamaSizes,
} from '../layouts/llama-layout.js';
import { mixture, type Mixture } from '../parts/moe.js';
import { rotaryAttention, type RotaryAttention } from '../parts/rotary-attention.js';

const activationField = 'hidden_act';

const modules: AliasNames['inBlock'] = { ...attentionModules, ...preNormModules, 'mlp.gate': 'mlp.router' };

const readExperts = (c: ConfigReader, sizes: LlamaSizes): Mixture => {
  const experts: Mixture = {
    modelDim: sizes.modelDim,
    neurons: c.integer('moe_intermediate_size', 768),
    experts: c.integer('num_experts', 128),
    chosen: c.integer('num_experts_per_tok', 8),
    normalized: c.boolean('norm_topk_prob', false),
    act: activation(activationField, sizes.activation),
    names: { gate: 'gate_proj', up: 'up_proj', down: 'down_proj' },
  };
  c.require(
    experts.chosen <= experts.experts,
    'num_experts_per_tok',
    `at most ${experts.experts}, as many as there are`,
  );
  return experts;
};

/** Which layers are a mixture; the others have one MLP. */
const sparseLayers = (c: ConfigReader, layers: number): readonly boolean[] => {
  const step = c.integer('decoder_sparse_step', 1);
  const given = c.raw('mlp_only_layers');
  const dense: readonly unknown[] = Array.isArray(given) ? given : [];
  return Array.from({ length: layers }, (_, layer) => !dense.includes(layer) && (layer + 1) % step === 0);
};

/** Yang et al. 2025, "Qwen3 Technical Report"; transformers `Qwen3MoeForCausalLM`: Qwen 3 with mixtures of experts. */
const build = (json: JsonObject, has: HasTensor): Program => {
  const c = new ConfigReader(json);
  const defaults = { activation: 'silu', tied: false, maxPositions: 32768, kvHeads: 4 };
  const sizes = readSizes(c, { activationField, ...defaults });
  const bias = c.boolean('attention_bias', false);
  const used = c.boolean('use_sliding_window', false);
  const window = c.integer('sliding_window', 4096);
  const experts = readExperts(c, sizes);
  const sparse = sparseLayers(c, sizes.layers);
  c.finish(['max_window_layers', 'output_router_logits', 'router_aux_loss_coef']); // every layer has the window, or none
  const attention: RotaryAttention = {
    ...sizes,
    bias: { qkv: bias, out: bias },
    norm: (s, name, x) => rmsNormalized(s, x, { name, eps: sizes.eps }),
    rotation: {},
    mask: used ? 'window' : 'causal',
  };
  const mlp = (s: Scope, x: Value, layer: number): Value =>
    sparse[layer] ? mixture(s, x, experts) : llamaMlp(s, x, { ...sizes, field: activationField });
  return llamaLayout({
    ...{ family: qwen3Moe.name, config: json, has, sizes, inBlock: modules },
    block: (s, x, layer) =>
      preNormBlock(s, x, {
        ln1: (y) => rmsNorm(inner(s, 'ln1', 'input_layernorm.'), y, sizes.eps),
        attention: (y) => rotaryAttention(inner(s, 'attn', 'self_attn.'), y, attention),
        ln2: (y) => rmsNorm(inner(s, 'ln2', 'post_attention_layernorm.'), y, sizes.eps),
        mlp: (y) => mlp(inner(s, 'mlp', 'mlp.'), y, layer),
      }),
    norm: (s, x) => rmsNorm(s, x, sizes.eps),
    inputs: {
      ...ropeRules({ dim: sizes.headDim, ...sizes.rope }),
      ...(used ? { 'mask.window': { rule: 'causal', window } } : {}),
    },
  });
};

export const qwen3Moe: Family = {
  name: 'qwen3_moe',
  architectures: ['Qwen3MoeForCausalLM', 'Qwen3MoeModel'],
  activationField,
  ignoredTensors: /rotary_emb\.inv_freq$|^lm_head\.weight$/,
  build,
};
