"""The table of model variants: one row for each way in which a config or a file may differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

VOCAB_SIZE = 61

GPT2_CONFIG: dict[str, Any] = {
    "vocab_size": VOCAB_SIZE,
    "n_positions": 40,
    "n_embd": 24,
    "n_layer": 3,
    "n_head": 4,
    "bos_token_id": 0,
    "eos_token_id": 0,
}

LLAMA_CONFIG: dict[str, Any] = {
    "vocab_size": VOCAB_SIZE,
    "hidden_size": 32,
    "intermediate_size": 36,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 48,
    "bos_token_id": 1,
    "eos_token_id": 2,
}


@dataclass(frozen=True)
class Variant:
    """One model: what its config says, and how its files are laid out."""

    name: str
    family: str
    purpose: str
    config: dict[str, Any] = field(default_factory=dict)
    seed: int = 1
    #: dtype of the numbers in the file; the golden numbers are always computed in float32
    dtype: str = "float32"
    #: `plain`, `sharded`, `without-prefix` (GPT-2's first upload), `v5-config` (as transformers 5 writes config.json),
    #: `legacy-rope` (`rope_scaling.type`, as before transformers 4.43)
    layout: str = "plain"
    #: has a tokenizer.json with one word a token, so that edits that name tokens can be tried
    tokenizer: bool = False
    #: also stores every site of the long prompt that a hook can see, and the interventions of edits.py
    edits: bool = False


def gpt2(name: str, purpose: str, config: dict[str, Any] | None = None, **rest: Any) -> Variant:
    return Variant(f"gpt2-{name}", "gpt2", purpose, {**GPT2_CONFIG, **(config or {})}, **rest)


def llama(name: str, purpose: str, config: dict[str, Any] | None = None, **rest: Any) -> Variant:
    return Variant(f"llama-{name}", "llama", purpose, {**LLAMA_CONFIG, **(config or {})}, **rest)


def gpt2_activation(function: str) -> Variant:
    purpose = f"activation_function {function}"
    config = {"activation_function": function, "n_layer": 2, "n_inner": 48}
    return gpt2(function.replace("_", "-"), purpose, config)


def llama_rope(name: str, purpose: str, scaling: dict[str, Any], **config: Any) -> Variant:
    return llama(f"rope-{name}", purpose, {"rope_scaling": scaling, "intermediate_size": 24, **config})


# Trained for 8 positions and stretched to 32; with base 100 and a head of 16 the ramp of YaRN has inner points.
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 8}
YARN_CONFIG = {"max_position_embeddings": 32, "rope_theta": 100.0, "head_dim": 16, "hidden_size": 24}
YARN_BETAS = {"beta_fast": 1.0, "beta_slow": 0.1}


def llama_yarn(name: str, purpose: str, scaling: dict[str, Any]) -> Variant:
    return llama_rope(name, purpose, {**YARN, **scaling}, **YARN_CONFIG)


VARIANTS: tuple[Variant, ...] = (
    gpt2("default", "GPT-2 as it is: tanh GELU, tied head", tokenizer=True, edits=True),
    *map(gpt2_activation, ("gelu", "relu", "silu", "swish", "tanh", "gelu_pytorch_tanh", "quick_gelu")),
    gpt2("unscaled", "scale_attn_weights false", {"scale_attn_weights": False, "n_inner": 48}),
    gpt2(
        "scaled-by-layer",
        "scale_attn_by_inverse_layer_idx true",
        {"scale_attn_by_inverse_layer_idx": True, "n_inner": 48},
    ),
    gpt2(
        "upcast",
        "reorder_and_upcast_attn true, with scaling by layer (Mistral GPT-2); in float32 the same as without",
        {"reorder_and_upcast_attn": True, "scale_attn_by_inverse_layer_idx": True, "n_inner": 48},
    ),
    gpt2("untied", "a head of its own, lm_head.weight", {"tie_word_embeddings": False, "n_inner": 48}),
    gpt2("inner", "n_inner that is not 4 n_embd", {"n_inner": 40}),
    gpt2("epsilon", "a layer_norm_epsilon that shows", {"layer_norm_epsilon": 0.05, "n_inner": 48}),
    gpt2(
        "without-prefix",
        "names as in the first upload: no transformer. prefix, and the causal masks as tensors h.N.attn.bias",
        {"n_inner": 48},
        layout="without-prefix",
    ),
    llama("default", "as many keys as queries", {"num_key_value_heads": 4}),
    llama("grouped", "4 heads, 2 of keys", tokenizer=True, edits=True),
    llama("multi-query", "4 heads, 1 of keys", {"num_key_value_heads": 1}),
    llama("attention-bias", "attention_bias true: q, k, v and o", {"attention_bias": True}),
    llama("mlp-bias", "mlp_bias true: gate, up and down", {"mlp_bias": True}),
    llama("tied", "tie_word_embeddings true", {"tie_word_embeddings": True}),
    llama("head-dim", "head_dim that is not hidden_size / num_attention_heads", {"head_dim": 12}),
    llama("epsilon", "an rms_norm_eps that shows", {"rms_norm_eps": 0.05}),
    llama("gelu", "hidden_act gelu", {"hidden_act": "gelu", "num_hidden_layers": 2}),
    llama("gelu-tanh", "hidden_act gelu_pytorch_tanh", {"hidden_act": "gelu_pytorch_tanh", "num_hidden_layers": 2}),
    llama("relu", "hidden_act relu", {"hidden_act": "relu", "num_hidden_layers": 2}),
    llama_rope("theta", "rope_theta 500000", {}, rope_theta=500000.0),
    llama_rope("linear", "linear scaling, config in its oldest form", {"rope_type": "linear", "factor": 2.5}),
    llama_rope(
        "dynamic",
        "dynamic NTK from 8 positions on",
        {"rope_type": "dynamic", "factor": 2.0},
        max_position_embeddings=8,
    ),
    llama_rope(
        "dynamic-within",
        "dynamic NTK whose limit no prompt reaches",
        {"rope_type": "dynamic", "factor": 2.0},
        max_position_embeddings=48,
    ),
    llama_rope(
        "dynamic-original",
        "dynamic NTK with original_max_position_embeddings, which transformers does not read here",
        {"rope_type": "dynamic", "factor": 2.0, "original_max_position_embeddings": 6},
        max_position_embeddings=12,
    ),
    llama_rope(
        "llama3",
        "llama3 with bands that a head of 8 meets: one frequency stays, one is mixed, two are divided",
        {
            "rope_type": "llama3",
            "factor": 6.0,
            "low_freq_factor": 0.25,
            "high_freq_factor": 1.2,
            "original_max_position_embeddings": 8,
        },
        rope_theta=100.0,
    ),
    llama_rope(
        "llama3-published",
        "llama3 with the numbers of Llama 3.1",
        {
            "rope_type": "llama3",
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 8192,
        },
        rope_theta=500000.0,
        max_position_embeddings=65536,
    ),
    llama_rope("yarn", "yarn with all its defaults", YARN, max_position_embeddings=32),
    llama_yarn("yarn-betas", "yarn with beta_fast and beta_slow", YARN_BETAS),
    llama_yarn("yarn-untruncated", "yarn with truncate false", {**YARN_BETAS, "truncate": False}),
    llama_yarn("yarn-attention-factor", "yarn with attention_factor", {**YARN_BETAS, "attention_factor": 0.8}),
    llama_yarn(
        "yarn-mscale",
        "yarn with mscale and mscale_all_dim",
        {**YARN_BETAS, "mscale": 0.7, "mscale_all_dim": 1.3},
    ),
    llama("v5-config", "config.json as transformers 5 writes it: rope_parameters, dtype", {
        "rope_scaling": {"rope_type": "linear", "factor": 2.0},
        "rope_theta": 300.0,
        "intermediate_size": 24,
    }, layout="v5-config"),
    llama("bfloat16", "weights in bfloat16", {"intermediate_size": 24}, dtype="bfloat16"),
    llama("float16", "weights in float16", {"intermediate_size": 24}, dtype="float16"),
    llama("float64", "weights in float64, rounded to float32 when read", {
        "num_hidden_layers": 2,
        "intermediate_size": 24,
    }, dtype="float64"),
    llama("sharded", "weights in several files with an index", {"intermediate_size": 24}, layout="sharded"),
    gpt2("bfloat16", "GPT-2 weights ([in, out]) in bfloat16", {"n_inner": 48}, dtype="bfloat16"),
)  # fmt: skip
