"""
Gemma: Llama with a scaled embedding, norms that multiply by 1 + weight, tanh GELU, and by default a tied head.

- The stream starts at embedding · √hidden_size; `embed` is the value after that scale, so it equals
  `blocks.0.resid_pre`. The module `embed_tokens` returns the value before it. transformers rounds the scale to the
  dtype that it computes in (bfloat16: √2048 = 45.25), here float32.
- `head_dim` is 256 where config.json leaves it out.
- `hidden_act` decides; `hidden_activation` is read by nobody. `hidden_act` "gelu" in the first releases means the tanh
  form: transformers 5 and those before 4.4x take it so, 4.57 takes erf. `gemma-legacy-gelu` was computed with tanh, and
  `--check` agrees only under transformers 5.
- Defaults differ from Llama's: tie_word_embeddings true, pad 0, eos 1, bos 2.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from decoders import CONFIG, draw_gemma, finish, rows_of
from family import Family, Variant
from files import write_json
from parts import Parts, Tap
from transformers import GemmaConfig, GemmaForCausalLM


class ScaledEmbedding(Parts):
    """The embedding is scaled after its module, on the way to the first block."""

    def outer_taps(self) -> Iterator[Tap]:
        yield Tap("embed", self.layers[0], "in")


def finish_gemma(variant: Variant, folder: Path) -> None:
    finish(variant, folder)
    if variant.layout == "legacy-gelu":
        path = folder / "config.json"
        write_json(path, {**json.loads(path.read_text()), "hidden_act": "gelu", "hidden_activation": None})


row = rows_of("gemma", {**CONFIG, "head_dim": 8, "num_key_value_heads": 1, "bos_token_id": 2, "eos_token_id": 1})
FAMILY = Family(
    "gemma",
    GemmaConfig,
    GemmaForCausalLM,
    (
        row("default", "scaled embedding, 1 + weight in norms, tied head, one head of keys", sites=True),
        row("grouped", "4 heads, 2 of keys; rms_norm_eps and rope_theta that show", {
            "num_key_value_heads": 2,
            "rms_norm_eps": 0.05,
            "rope_theta": 300.0,
        }),
        row("untied", "tie_word_embeddings false", {"tie_word_embeddings": False}),
        row("attention-bias", "attention_bias true: q, k, v and o", {"attention_bias": True}),
        row("silu", "hidden_act silu, and a hidden_activation that is not read", {
            "hidden_act": "silu",
            "hidden_activation": "gelu_pytorch_tanh",
        }),
        row("legacy-gelu", "hidden_act gelu, which means its tanh form, as in the first releases",
            layout="legacy-gelu"),
        row("bfloat16", "weights in bfloat16", {"hidden_size": 24, "num_attention_heads": 2}, dtype="bfloat16"),
    ),
    ScaledEmbedding,
    draw=draw_gemma,
    finish=finish_gemma,
)  # fmt: skip
