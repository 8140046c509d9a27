import type { JsonObject } from '../../base/index.js';
import { inner, type Program } from '../../graph/index.js';
import { activation } from '../parts/activations.js';
import type { AliasNames } from '../layouts/aliases.js';
import { preNormBlock } from '../parts/blocks.js';
import { ConfigReader } from '../config/config-reader.js';
import { ropeRules } from '../layouts/decoder.js';
import type { Family, HasTensor } from '../family.js';
import { rmsNorm } from '../parts/layers.js';
import { attentionModules, llamaLayout, readSizes, type LlamaSizes } from '../layouts/llama-layout.js';
import { mixture, type Mixture } from '../parts/moe.js';
import { rotaryAttention } from '../parts/rotary-attention.js';

const activationField = 'hidden_act';

const modules: AliasNames['inBlock'] = {
  ...attentionModules,
  block_sparse_moe: 'mlp_out',
  'block_sparse_moe.gate': 'mlp.router',
};

const readExperts = (c: ConfigReader, sizes: LlamaSizes): Mixture => {
  const experts = c.integer('num_local_experts', 8);
  const chosen = c.integer('num_experts_per_tok', 2);
  c.require(chosen <= experts, 'num_experts_per_tok', `at most ${experts}, as many as there are`);
  const names = { gate: 'w1', up: 'w3', down: 'w2' };
  return { ...sizes, experts, chosen, normalized: true, act: activation(activationField, sizes.activation), names };
};

/** Jiang et al. 2024, "Mixtral of Experts"; transformers `MixtralForCausalLM`. */
const build = (json: JsonObject, has: HasTensor): Program => {
  const c = new ConfigReader(json);
  const defaults = { activation: 'silu', tied: false, maxPositions: 131072, kvHeads: 8, eps: 1e-5, ropeBase: 1e6 };
  const sizes = readSizes(c, { activationField, ...defaults });
  const window = c.raw('sliding_window') === undefined ? undefined : c.integer('sliding_window');
  const experts = readExperts(c, sizes);
  c.finish(['output_router_logits', 'router_aux_loss_coef', 'router_jitter_noise']);
  const attention = {
    ...sizes,
    bias: { qkv: false, out: false },
    rotation: {},
    mask: window === undefined ? ('causal' as const) : ('window' as const),
  };
  return llamaLayout({
    ...{ family: mixtral.name, config: json, has, sizes, inBlock: modules },
    block: (s, x) =>
      preNormBlock(s, x, {
        ln1: (y) => rmsNorm(inner(s, 'ln1', 'input_layernorm.'), y, sizes.eps),
        attention: (y) => rotaryAttention(inner(s, 'attn', 'self_attn.'), y, attention),
        ln2: (y) => rmsNorm(inner(s, 'ln2', 'post_attention_layernorm.'), y, sizes.eps),
        mlp: (y) => mixture(inner(s, 'mlp', 'block_sparse_moe.'), y, experts),
      }),
    norm: (s, x) => rmsNorm(s, x, sizes.eps),
    inputs: {
      ...ropeRules({ dim: sizes.headDim, ...sizes.rope }),
      ...(window === undefined ? {} : { 'mask.window': { rule: 'causal', window } }),
    },
  });
};

export const mixtral: Family = {
  name: 'mixtral',
  architectures: ['MixtralForCausalLM', 'MixtralModel'],
  activationField,
  ignoredTensors: /rotary_emb\.inv_freq$|^lm_head\.weight$/,
  build,
};
