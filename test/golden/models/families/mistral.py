"""
Mistral: Llama without biases, with one sliding window for all layers.

- `sliding_window` null: none. Left out of config.json: 4096, the default of the config class.
- `head_dim` null or left out: hidden_size / num_attention_heads.
- A window of W: a query sees itself and the W − 1 positions before it.
- `layer_types` is not read (transformers only warns); that is Ministral.
"""

from __future__ import annotations

from decoders import CONFIG, WINDOW, finish, rows_of
from family import Family
from transformers import MistralConfig, MistralForCausalLM

row = rows_of("mistral", {**CONFIG, "sliding_window": WINDOW})
FAMILY = Family(
    "mistral",
    MistralConfig,
    MistralForCausalLM,
    (
        row("default", "a sliding window in all layers, as in Mistral 7B v0.1", {"hidden_size": 24}, sites=True),
        row("full", "sliding_window null, as in v0.2 and later", {"sliding_window": None, "rope_theta": 1000000.0}),
        row("wide-window", "a sliding_window that no prompt leaves", {"sliding_window": 40}),
        row("head-dim", "head_dim that is not hidden_size / num_attention_heads", {"head_dim": 8}),
        row("tied", "tie_word_embeddings true, as many keys as queries", {
            "tie_word_embeddings": True,
            "num_key_value_heads": 4,
        }),
        row("gelu", "hidden_act gelu, an rms_norm_eps that shows", {"hidden_act": "gelu", "rms_norm_eps": 0.05}),
        row("v5-config", "config.json as transformers 5 writes it: rope_parameters, dtype", {
            "rope_theta": 300.0,
        }, layout="v5-config"),
    ),
    finish=finish,
)  # fmt: skip
