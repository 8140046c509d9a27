"""
Qwen2: Llama with biases on q, k and v (never on o), and sliding windows in some layers.

- A window of W: a query sees itself and the W − 1 positions before it.
- `sliding_window` counts only where `use_sliding_window` is true; then layers from `max_window_layers` on slide, unless
  `layer_types` says otherwise. `layer_types` alone decides where it is given.
- `head_dim` is no field of the config class but is read where it is there.
- max_window_layers defaults to 28: a config with `use_sliding_window` true and fewer layers has no window at all.
"""

from __future__ import annotations

from decoders import CONFIG, WINDOW, finish, rows_of
from family import Family
from transformers import Qwen2Config, Qwen2ForCausalLM

WINDOWED = {"use_sliding_window": True, "sliding_window": WINDOW, "num_hidden_layers": 3}
YARN = {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 8}

row = rows_of("qwen2", CONFIG)
FAMILY = Family(
    "qwen2",
    Qwen2Config,
    Qwen2ForCausalLM,
    (
        row("default", "biases on q, k and v; 4 heads, 2 of keys", {"hidden_size": 24}, sites=True),
        row("tied", "tie_word_embeddings true, as many keys as queries", {
            "tie_word_embeddings": True,
            "num_key_value_heads": 4,
        }),
        row("head-dim", "head_dim that is not hidden_size / num_attention_heads", {"head_dim": 8}),
        row("gelu", "hidden_act gelu, rms_norm_eps and rope_theta that show", {
            "hidden_act": "gelu",
            "rms_norm_eps": 0.05,
            "rope_theta": 1000000.0,
        }),
        row("sliding", "use_sliding_window: layers from max_window_layers on", {**WINDOWED, "max_window_layers": 1}),
        row("sliding-off", "use_sliding_window false with sliding_window and max_window_layers set", {
            **WINDOWED,
            "use_sliding_window": False,
            "max_window_layers": 0,
        }),
        row("layer-types", "layer_types against max_window_layers", {
            **WINDOWED,
            "max_window_layers": 2,
            "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
        }),
        row("rope-yarn", "rope_scaling as Qwen2.5's card has it: type, not rope_type", {
            "rope_scaling": YARN,
            "max_position_embeddings": 32,
            "head_dim": 8,
        }),
        row("v5-config", "config.json as transformers 5 writes it: rope_parameters, layer_types, dtype", {
            **WINDOWED,
            "max_window_layers": 2,
            "rope_theta": 300.0,
        }, layout="v5-config"),
    ),
    finish=finish,
)  # fmt: skip
