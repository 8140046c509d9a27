"""Llama: rotary positions and their scalings, grouped keys, a gated MLP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from family import VOCAB_SIZE, Family, Variant
from files import write_json
from parts import AttentionTap, Parts
from transformers import LlamaConfig, LlamaForCausalLM

CONFIG: dict[str, Any] = {
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


def llama(name: str, purpose: str, config: dict[str, Any] | None = None, **rest: Any) -> Variant:
    return Variant(f"llama-{name}", "llama", purpose, {**CONFIG, **(config or {})}, **rest)


def llama_rope(name: str, purpose: str, scaling: dict[str, Any], **config: Any) -> Variant:
    return llama(f"rope-{name}", purpose, {"rope_scaling": scaling, "intermediate_size": 24, **config})


# Trained for 8 positions and stretched to 32; with base 100 and a head of 16 the ramp of YaRN has inner points.
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 8}
YARN_CONFIG = {"max_position_embeddings": 32, "rope_theta": 100.0, "head_dim": 16, "hidden_size": 24}
YARN_BETAS = {"beta_fast": 1.0, "beta_slow": 0.1}


def llama_yarn(name: str, purpose: str, scaling: dict[str, Any]) -> Variant:
    return llama_rope(name, purpose, {**YARN, **scaling}, **YARN_CONFIG)


class LlamaParts(Parts):
    def attentions(self) -> Iterator[AttentionTap]:
        return iter(())  # the stored data have no scores


def finish(variant: Variant, folder: Path) -> None:
    """config.json in the words of another version of transformers."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    scaling = config.get("rope_scaling")
    if variant.layout == "v5-config":
        rest = {k: v for k, v in config.items() if k not in ("rope_scaling", "rope_theta", "transformers_version")}
        write_json(path, {**rest, "rope_parameters": {**scaling, "rope_theta": config["rope_theta"]}})
    if variant.name == "llama-rope-linear":
        write_json(path, {**config, "rope_scaling": {"type": scaling["rope_type"], "factor": scaling["factor"]}})


VARIANTS: tuple[Variant, ...] = (
    llama("default", "as many keys as queries", {"num_key_value_heads": 4}),
    llama("grouped", "4 heads, 2 of keys", tokenizer=True, sites=True, edits=True),
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
)  # fmt: skip

FAMILY = Family("llama", LlamaConfig, LlamaForCausalLM, VARIANTS, LlamaParts, finish=finish)
