"""The tiny models of models.py: what each shows, its configuration, how its matrices are stored."""

from __future__ import annotations

from dataclasses import dataclass, field

from gguf.constants import MODEL_ARCH, GGMLQuantizationType as T
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    Phi3Config,
    Phi3ForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

VOCAB = 64
SIZES = {
    "vocab_size": VOCAB,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "tie_word_embeddings": False,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
GPT2_SIZES = {
    "vocab_size": VOCAB,
    "n_embd": 32,
    "n_inner": 64,
    "n_layer": 2,
    "n_head": 4,
    "n_positions": 48,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
FACTORS = {"short_factor": [1.0, 1.1, 1.25, 1.5], "long_factor": [1.0, 1.75, 3.5, 5.0]}
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}


@dataclass(frozen=True)
class Variant:
    """`kind`: how matrices are stored; vectors are float32, as the converter has them."""

    name: str
    arch: MODEL_ARCH
    model_class: type
    config_class: type
    kind: T
    fields: dict = field(default_factory=dict)

    def config(self):
        sizes = GPT2_SIZES if self.arch == MODEL_ARCH.GPT2 else SIZES
        return self.config_class(**{**sizes, **self.fields})


def _of(arch: MODEL_ARCH, model_class: type, config_class: type):
    def make(name: str, kind: T, **fields) -> Variant:
        return Variant(name, arch, model_class, config_class, kind, fields)

    return make


llama = _of(MODEL_ARCH.LLAMA, LlamaForCausalLM, LlamaConfig)
qwen2 = _of(MODEL_ARCH.QWEN2, Qwen2ForCausalLM, Qwen2Config)
qwen3 = _of(MODEL_ARCH.QWEN3, Qwen3ForCausalLM, Qwen3Config)
gemma2 = _of(MODEL_ARCH.GEMMA2, Gemma2ForCausalLM, Gemma2Config)
phi3 = _of(MODEL_ARCH.PHI3, Phi3ForCausalLM, Phi3Config)
gpt2 = _of(MODEL_ARCH.GPT2, GPT2LMHeadModel, GPT2Config)

GEMMA2 = {
    "tie_word_embeddings": True,
    "head_dim": 16,
    "query_pre_attn_scalar": 16,
    "sliding_window": 4,
    "attn_logit_softcapping": 20.0,
    "final_logit_softcapping": 10.0,
}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}
LONGROPE = {"original_max_position_embeddings": 8, "rope_scaling": {"type": "longrope", **FACTORS}}

VARIANTS = [
    llama("llama-f32", T.F32),
    llama("llama-bias-q4_0", T.Q4_0, attention_bias=True, tie_word_embeddings=True),
    llama("llama-mlp-bias-f16", T.F16, mlp_bias=True, num_key_value_heads=4),
    llama("llama-rope-freqs-f16", T.F16, rope_scaling=LLAMA3, rope_theta=500000.0),
    llama("llama-linear-q8_0", T.Q8_0, rope_scaling={"rope_type": "linear", "factor": 2.0}),
    llama("llama-yarn-q5_0", T.Q5_0, rope_scaling=YARN),
    llama("llama-head-dim-bf16", T.BF16, head_dim=16),
    qwen2("qwen2-f32", T.F32),
    qwen2("qwen2-tied-q8_0", T.Q8_0, tie_word_embeddings=True),
    qwen3("qwen3-f32", T.F32, head_dim=16),
    qwen3("qwen3-tied-q5_0", T.Q5_0, head_dim=16, tie_word_embeddings=True),
    gemma2("gemma2-f32", T.F32, **GEMMA2),
    gemma2("gemma2-q5_1", T.Q5_1, **GEMMA2),
    phi3("phi3-f32", T.F32, sliding_window=4),
    phi3("phi3-q4_1", T.Q4_1, num_key_value_heads=4),
    phi3("phi3-longrope-f16", T.F16, **LONGROPE),
    gpt2("gpt2-f32", T.F32),
    gpt2("gpt2-q8_0", T.Q8_0),
]
