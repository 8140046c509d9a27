/** How tensors are called, from GGUF to Hugging Face: outside blocks, and inside. */
export interface TensorNames {
  /** `model.layers`: then a number, then a name of `inBlock`. */
  readonly blocks: string;
  readonly outside: Readonly<Record<string, string>>;
  readonly inBlock: Readonly<Record<string, string>>;
}

const around = {
  blocks: 'model.layers',
  outside: { token_embd: 'model.embed_tokens', output_norm: 'model.norm', output: 'lm_head' },
};

const attention = {
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
};

const mlp = { ffn_gate: 'mlp.gate_proj', ffn_up: 'mlp.up_proj', ffn_down: 'mlp.down_proj' };

/** @source the `gguf` package for Python, `gguf.tensor_mapping` */
export const llamaNames: TensorNames = {
  ...around,
  inBlock: { ...attention, ...mlp, ffn_norm: 'post_attention_layernorm' },
};

export const qwen3Names: TensorNames = {
  ...around,
  inBlock: { ...llamaNames.inBlock, attn_q_norm: 'self_attn.q_norm', attn_k_norm: 'self_attn.k_norm' },
};

export const gemma2Names: TensorNames = {
  ...around,
  inBlock: {
    ...attention,
    ...mlp,
    post_attention_norm: 'post_attention_layernorm',
    ffn_norm: 'pre_feedforward_layernorm',
    post_ffw_norm: 'post_feedforward_layernorm',
  },
};

export const phi3Names: TensorNames = {
  ...around,
  inBlock: {
    attn_norm: 'input_layernorm',
    attn_qkv: 'self_attn.qkv_proj',
    attn_output: 'self_attn.o_proj',
    ffn_norm: 'post_attention_layernorm',
    ffn_up: 'mlp.gate_up_proj',
    ffn_down: 'mlp.down_proj',
  },
};

export const gpt2Names: TensorNames = {
  blocks: 'transformer.h',
  outside: {
    token_embd: 'transformer.wte',
    position_embd: 'transformer.wpe',
    output_norm: 'transformer.ln_f',
    output: 'lm_head',
  },
  inBlock: {
    attn_norm: 'ln_1',
    attn_qkv: 'attn.c_attn',
    attn_output: 'attn.c_proj',
    ffn_norm: 'ln_2',
    ffn_up: 'mlp.c_fc',
    ffn_down: 'mlp.c_proj',
  },
};

/** Hugging Face's name of a tensor; undefined where the architecture has none of the kind. */
export const huggingFaceName = (name: string, names: TensorNames): string | undefined => {
  const [, layer, part = '', suffix = ''] = /^(?:blk\.(\d+)\.)?(\w+)\.(weight|bias)$/.exec(name) ?? [];
  const table = layer === undefined ? names.outside : names.inBlock;
  const own = Object.hasOwn(table, part) ? table[part] : undefined;
  if (own === undefined) return undefined;
  return layer === undefined ? `${own}.${suffix}` : `${names.blocks}.${layer}.${own}.${suffix}`;
};
