"""
SmolLM3: Llama where every fourth layer does not rotate.

- `no_rope_layers` has 1 for a layer that rotates and 0 for one that does not. Without it, layer i does not rotate where
  (i + 1) is a multiple of `no_rope_layer_interval` (4 where left out). Such a layer has no rot_q and rot_k.
- `use_sliding_window` with `sliding_window`: the layers that do not rotate slide, unless `layer_types` says otherwise.
- tie_word_embeddings is true where left out; rope_theta 2e6.
- `attention_bias`: q, k, v and o; `mlp_bias`: gate, up and down.
"""

from __future__ import annotations

from collections.abc import Iterator

from decoders import CONFIG, WINDOW, finish, rows_of
from family import Family
from parts import AttentionTap, Parts
from transformers import SmolLM3Config, SmolLM3ForCausalLM


class SmolLM3Parts(Parts):
    def attentions(self) -> Iterator[AttentionTap]:
        for layer, rotates in enumerate(self.config.no_rope_layers):
            yield AttentionTap(f"blocks.{layer}.attn", self.attention(layer), bool(rotates))


row = rows_of("smollm3", {
    **CONFIG,
    "intermediate_size": 16,
    "pad_token_id": 0,
    "tie_word_embeddings": False,
    "rope_theta": 300.0,
})  # fmt: skip
FAMILY = Family(
    "smollm3",
    SmolLM3Config,
    SmolLM3ForCausalLM,
    (
        row("default", "layer 1 does not rotate", {"no_rope_layers": [1, 0, 1], "num_hidden_layers": 3}, sites=True),
        row("interval", "no_rope_layer_interval 2, no no_rope_layers", {"no_rope_layer_interval": 2}),
        row("interval-default", "neither: four layers, the last does not rotate", {"num_hidden_layers": 4}),
        row("sliding", "use_sliding_window: the layers that do not rotate slide", {
            "no_rope_layers": [1, 0],
            "use_sliding_window": True,
            "sliding_window": WINDOW,
        }),
        row("biased", "attention_bias and mlp_bias true", {
            "no_rope_layers": [1, 0],
            "attention_bias": True,
            "mlp_bias": True,
        }),
        row("tied", "tie_word_embeddings true, the default; as many keys as queries; rope_theta 2000000", {
            "no_rope_layers": [0, 1],
            "tie_word_embeddings": True,
            "num_key_value_heads": 4,
            "rope_theta": 2000000.0,
        }),
    ),
    SmolLM3Parts,
    finish=finish,
)  # fmt: skip
