"""
Qwen3: Qwen2 without biases (`attention_bias`: on q, k, v and o), with an RMSNorm of each head's queries and keys.

- The norms of q and k have one gain of headDim for all heads, come before the rotation, and use rms_norm_eps.
- `head_dim` is 128 where config.json leaves it out, not hidden_size / num_attention_heads.
- Windows as in Qwen2.
"""

from __future__ import annotations

from decoders import CONFIG, WINDOW, NormedHeads, finish, rows_of
from family import Family
from transformers import Qwen3Config, Qwen3ForCausalLM

WINDOWED = {"use_sliding_window": True, "sliding_window": WINDOW, "num_hidden_layers": 3}

row = rows_of("qwen3", {**CONFIG, "head_dim": 8})
FAMILY = Family(
    "qwen3",
    Qwen3Config,
    Qwen3ForCausalLM,
    (
        row("default", "norms of q and k, a head_dim of its own", sites=True),
        row("tied", "tie_word_embeddings true, as many keys as queries", {
            "tie_word_embeddings": True,
            "num_key_value_heads": 4,
            "head_dim": 4,
        }),
        row("attention-bias", "attention_bias true: q, k, v and o", {"attention_bias": True}),
        row("gelu", "hidden_act gelu, rms_norm_eps and rope_theta that show", {
            "hidden_act": "gelu",
            "rms_norm_eps": 0.05,
            "rope_theta": 1000000.0,
        }),
        row("sliding", "use_sliding_window: layers from max_window_layers on", {**WINDOWED, "max_window_layers": 1}),
        row("rope-yarn", "rope_scaling yarn, as Qwen3's card has it", {
            "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 8},
            "max_position_embeddings": 32,
        }),
        row("v5-config", "config.json as transformers 5 writes it: rope_parameters, layer_types, dtype", {
            **WINDOWED,
            "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
            "rope_theta": 300.0,
        }, layout="v5-config"),
    ),
    NormedHeads,
    finish=finish,
)  # fmt: skip
