import type { JsonObject } from '../../base/index.js';
import type { GgufTensor } from './gguf.js';
import type { ArchitectureKeys } from './keys.js';
import { plain, type Layout } from './layout.js';
import { gemma2Names, gpt2Names, llamaNames, phi3Names, qwen3Names, type TensorNames } from './names.js';
import { ropeScaling, type RopeFactors } from './rope.js';

/** What a config is made from. */
export interface ConfigSources {
  readonly keys: ArchitectureKeys;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  readonly factors: RopeFactors;
}

/** How one of llama.cpp's architectures becomes a model in Hugging Face layout. */
export interface Architecture {
  readonly names: TensorNames;
  /** config.json in Hugging Face's words, but for what every one has. */
  config(sources: ConfigSources): JsonObject;
  /** How a tensor was written, by its own name. */
  layout(name: string, keys: ArchitectureKeys): Layout;
}

const asItIs = (): Layout => plain;

/** What the decoders with rotary positions and RMSNorm have in common. */
const decoder = ({ keys: k, tensors, factors }: ConfigSources): JsonObject => {
  const [hidden, heads] = [k.integer('embedding_length'), k.integer('attention.head_count')];
  const headDim = k.integer('attention.key_length', Math.floor(hidden / heads));
  k.expect('attention.value_length', headDim);
  return {
    hidden_size: hidden,
    intermediate_size: k.integer('feed_forward_length'),
    num_hidden_layers: k.integer('block_count'),
    num_attention_heads: heads,
    num_key_value_heads: k.integer('attention.head_count_kv', heads),
    head_dim: headDim,
    max_position_embeddings: k.integer('context_length'),
    rms_norm_eps: k.number('attention.layer_norm_rms_epsilon'),
    rope_theta: k.number('rope.freq_base', 10000),
    rope_scaling: ropeScaling(k, factors),
    tie_word_embeddings: !tensors.has('output.weight'),
  };
};

/** A decoder that rotates whole heads. */
const wholeHeads = (sources: ConfigSources): JsonObject => {
  const config = decoder(sources);
  sources.keys.expect('rope.dimension_count', Number(config['head_dim']));
  return config;
};

/** Its converter reorders the rows of queries and keys; Mistral is saved under this name too. */
const llama: Architecture = {
  names: llamaNames,
  config: (sources) => ({
    model_type: 'llama',
    architectures: ['LlamaForCausalLM'],
    ...wholeHeads(sources),
    hidden_act: 'silu',
    attention_bias: sources.tensors.has('blk.0.attn_q.bias'),
    mlp_bias: sources.tensors.has('blk.0.ffn_up.bias'),
  }),
  layout: (name, k) => {
    const part = /^blk\.\d+\.attn_([qk])\.(weight|bias)$/.exec(name)?.[1];
    if (part === undefined) return plain;
    const heads = k.integer('attention.head_count');
    return { kind: 'heads', heads: part === 'q' ? heads : k.integer('attention.head_count_kv', heads) };
  },
};

const qwen2: Architecture = {
  names: llamaNames,
  config: (sources) => {
    const { head_dim: _, ...config } = wholeHeads(sources);
    return { model_type: 'qwen2', architectures: ['Qwen2ForCausalLM'], ...config, hidden_act: 'silu' };
  },
  layout: asItIs,
};

const qwen3: Architecture = {
  names: qwen3Names,
  config: (sources) => ({
    model_type: 'qwen3',
    architectures: ['Qwen3ForCausalLM'],
    ...wholeHeads(sources),
    hidden_act: 'silu',
    attention_bias: sources.tensors.has('blk.0.attn_q.bias'),
  }),
  layout: asItIs,
};

/** The 27B model: it alone scales its scores by its width, not by a head's. @source llama.cpp `gemma2`, `load_arch_hparams` */
const widestGemma2Layers = 46;

const gemma2: Architecture = {
  names: gemma2Names,
  config: (sources) => {
    const { keys: k } = sources;
    const config = wholeHeads(sources);
    const wide = config['num_hidden_layers'] === widestGemma2Layers;
    const perHead = Math.floor(Number(config['hidden_size']) / Number(config['num_attention_heads']));
    return {
      model_type: 'gemma2',
      architectures: ['Gemma2ForCausalLM'],
      ...config,
      hidden_activation: 'gelu_pytorch_tanh',
      sliding_window: k.integer('attention.sliding_window', 4096),
      attn_logit_softcapping: k.number('attn_logit_softcapping', 50),
      final_logit_softcapping: k.number('final_logit_softcapping', 30),
      query_pre_attn_scalar: wide ? perHead : config['head_dim'],
    };
  },
  layout: (name) => (name.endsWith('norm.weight') ? { kind: 'plus one' } : plain),
};

const phi3: Architecture = {
  names: phi3Names,
  config: (sources) => {
    const { keys: k } = sources;
    const { head_dim: headDim, ...config } = decoder(sources);
    const original = k.integer('rope.scaling.original_context_length', k.integer('context_length'));
    return {
      model_type: 'phi3',
      architectures: ['Phi3ForCausalLM'],
      ...config,
      hidden_act: 'silu',
      original_max_position_embeddings: original,
      partial_rotary_factor: k.integer('rope.dimension_count', Number(headDim)) / Number(headDim),
      sliding_window: k.number('attention.sliding_window', 0) || null,
    };
  },
  layout: asItIs,
};

const gpt2: Architecture = {
  names: gpt2Names,
  config: ({ keys: k, tensors }) => {
    const [length, heads] = [k.integer('context_length'), k.integer('attention.head_count')];
    k.expect('attention.head_count_kv', heads);
    return {
      model_type: 'gpt2',
      architectures: ['GPT2LMHeadModel'],
      n_embd: k.integer('embedding_length'),
      n_layer: k.integer('block_count'),
      n_head: heads,
      n_inner: k.integer('feed_forward_length'),
      n_positions: tensors.get('position_embd.weight')?.shape[0] ?? length,
      layer_norm_epsilon: k.number('attention.layer_norm_epsilon'),
      activation_function: 'gelu_new',
      tie_word_embeddings: !tensors.has('output.weight'),
    };
  },
  layout: (name) => (/\.(attn_qkv|attn_output|ffn_up|ffn_down)\.weight$/.test(name) ? { kind: 'transposed' } : plain),
};

/** By `general.architecture`. */
export const architectures: ReadonlyMap<string, Architecture> = new Map(
  Object.entries({ llama, qwen2, qwen3, gemma2, phi3, gpt2 }),
);
