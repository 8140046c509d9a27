"""
OLMo 2: no norm before a sublayer, one after it; queries and keys are normed over their whole width.

- resid_mid = resid_pre + ln1_post(attention(resid_pre)); resid_post = resid_mid + ln2_post(mlp(resid_mid)). There is no
  ln1 and no ln2; post_attention_layernorm is ln1_post, post_feedforward_layernorm is ln2_post.
- q_norm has a gain of head · headDim and one divisor for all heads together, k_norm of kvHead · headDim; both before
  the rotation and before heads are split.
- `attention_bias`: q, k, v and o.
- rope_scaling is {"type": "linear" | "dynamic", "factor": float}, exactly two fields.
- The norms multiply in float32 before they are rounded back: no difference in float32.
"""

from __future__ import annotations

from collections.abc import Iterator

from decoders import CONFIG, finish, post_norm_taps, rows_of
from family import Family
from parts import Parts, Tap
from transformers import Olmo2Config, Olmo2ForCausalLM


class Olmo2Parts(Parts):
    def stream_taps(self, layer: int, name: str) -> Iterator[Tap]:
        yield Tap(f"{name}.resid_mid", self.layers[layer].mlp, "in")
        yield Tap(f"{name}.resid_post", self.layers[layer])

    def attention_taps(self, layer: int, name: str) -> Iterator[Tap]:
        yield from super().attention_taps(layer, name)
        yield Tap(f"{name}.attn.q_normed", self.attention(layer).q_norm, view=self.by_head)
        yield Tap(f"{name}.attn.k_normed", self.attention(layer).k_norm, view=self.by_head)

    def block_taps(self, layer: int, name: str) -> Iterator[Tap]:
        yield from super().block_taps(layer, name)
        yield from post_norm_taps(self, layer, name)


row = rows_of("olmo2", {**CONFIG, "hidden_size": 24, "pad_token_id": 0})
FAMILY = Family(
    "olmo2",
    Olmo2Config,
    Olmo2ForCausalLM,
    (
        row("default", "norms after sublayers, q and k normed over their width", sites=True),
        row("multi-head", "as many keys as queries, as OLMo 2 7B", {"num_key_value_heads": 4, "hidden_size": 16}),
        row("attention-bias", "attention_bias true: q, k, v and o", {"attention_bias": True}),
        row("tied", "tie_word_embeddings true", {"tie_word_embeddings": True}),
        row("gelu", "hidden_act gelu; rms_norm_eps and rope_theta that show", {
            "hidden_act": "gelu",
            "rms_norm_eps": 0.05,
            "rope_theta": 500000.0,
        }),
        row("rope-linear", "rope_scaling linear", {"rope_scaling": {"type": "linear", "factor": 3.0}}),
    ),
    Olmo2Parts,
    finish=finish,
)  # fmt: skip
