"""
Gemma 3 (text): Gemma 2 with norms of q and k instead of soft caps, and rotary bases by kind of layer.

- Full layers rotate with rope_theta (1e6 by default) and `rope_scaling`; sliding layers with rope_local_base_freq (1e4)
  and no scaling.
- Without `layer_types`, layer i is full where (i + 1) is a multiple of `sliding_window_pattern`, 6 where that is left
  out too. `_sliding_window_pattern`, which transformers 4.5x writes beside `layer_types`, is not read.
- Norms of q and k multiply by 1 + weight as all others, come before the rotation, one gain of headDim for all heads.
- The scale of scores is query_pre_attn_scalar ** -0.5 (256 by default). `final_logit_softcapping` is null by default
  and honoured; `attn_logit_softcapping` is kept but nothing reads it, in transformers 4.57 and in 5.
- `embed_tokens` itself multiplies by √hidden_size (a buffer that is not in the file): unlike Gemma 2, its output is
  `embed`.
- transformers 5 writes `rope_parameters` by kind of layer: {"full_attention": {...}, "sliding_attention": {...}}.
"""

from __future__ import annotations

import json
from pathlib import Path

from decoders import CONFIG, WINDOW, NormedBothSides, NormedHeads, draw_gemma, finish, rows_of
from family import Family, Variant
from files import write_json
from transformers import Gemma3ForCausalLM, Gemma3TextConfig

TYPES = ["sliding_attention", "full_attention", "sliding_attention"]


class Gemma3Parts(NormedBothSides, NormedHeads):
    position_first = False


def finish_gemma3(variant: Variant, folder: Path) -> None:
    finish(variant, folder)
    path = folder / "config.json"
    config = json.loads(path.read_text())
    if variant.layout == "v5-config":
        local = {"rope_type": "default", "rope_theta": config.pop("rope_local_base_freq")}
        config["rope_parameters"] = {"full_attention": config["rope_parameters"], "sliding_attention": local}
    elif "sliding_window_pattern" in variant.config or "layer_types" not in variant.config:
        config.pop("_sliding_window_pattern")
    write_json(path, config)


row = rows_of("gemma3_text", {
    **CONFIG,
    "head_dim": 8,
    "query_pre_attn_scalar": 8,
    "sliding_window": WINDOW,
    "rope_theta": 1000.0,
    "rope_local_base_freq": 20.0,
    "bos_token_id": 2,
    "eos_token_id": 1,
})  # fmt: skip
FAMILY = Family(
    "gemma3_text",
    Gemma3TextConfig,
    Gemma3ForCausalLM,
    (
        row("default", "norms of q and k, two rotary bases, layer 1 is full", {
            "num_hidden_layers": 3,
            "layer_types": TYPES,
        }, sites=True),
        row("pattern", "sliding_window_pattern 2, no layer_types", {"sliding_window_pattern": 2}),
        row("pattern-default", "neither layer_types nor sliding_window_pattern: both layers slide"),
        row("published-bases", "rope_theta 1000000 and rope_local_base_freq 10000", {
            "sliding_window_pattern": 2,
            "rope_theta": 1000000.0,
            "rope_local_base_freq": 10000.0,
        }),
        row("rope-linear", "rope_scaling linear, of the full layers alone", {
            "sliding_window_pattern": 2,
            "rope_scaling": {"rope_type": "linear", "factor": 8.0},
        }),
        row("final-cap", "a soft cap of logits", {"sliding_window_pattern": 2, "final_logit_softcapping": 3.0}),
        row("query-scalar", "query_pre_attn_scalar that is not head_dim", {
            "sliding_window_pattern": 2,
            "query_pre_attn_scalar": 2,
        }),
        row("untied", "tie_word_embeddings false; as many keys as queries", {
            "sliding_window_pattern": 2,
            "tie_word_embeddings": False,
            "num_key_value_heads": 4,
            "head_dim": 4,
        }),
        row("attention-bias", "attention_bias true: q, k, v and o", {
            "sliding_window_pattern": 2,
            "attention_bias": True,
        }),
        row("silu", "hidden_activation silu, an rms_norm_eps that shows", {
            "sliding_window_pattern": 2,
            "hidden_activation": "silu",
            "rms_norm_eps": 0.05,
        }),
        row("v5-config", "config.json as transformers 5 writes it: rope_parameters by kind of layer, dtype", {
            "layer_types": TYPES,
            "num_hidden_layers": 3,
            "rope_scaling": {"rope_type": "linear", "factor": 8.0},
        }, layout="v5-config"),
    ),
    Gemma3Parts,
    draw=draw_gemma,
    finish=finish_gemma3,
)  # fmt: skip
