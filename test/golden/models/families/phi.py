"""
Phi (1, 1.5, 2): attention and MLP read the stream through one norm, and everything has a bias.

- Parallel residual: resid_post = attn_out + mlp_out + resid_pre, both from ln1(resid_pre): no `ln2`, no resid_mid.
- `lm_head` has a bias, which stays where `tie_word_embeddings` shares the matrix.
- The first int(headDim · `partial_rotary_factor`) numbers of a head are rotated, half of them where the config is silent.
- `qk_layernorm`: a LayerNorm with bias over each head's numbers, before rotation; it is as wide as hidden_size / heads, so
  it goes with no other `head_dim`.
- `head_dim` is no field of PhiConfig, yet its modules read it.
- `hidden_act` is gelu_new, `layer_norm_eps` 1e-5; `num_key_value_heads` null is as many as heads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from decoders import CONFIG, finish, rows_of
from family import Family, Variant
from files import write_json
from parts import Parts, Tap
from torch import nn
from transformers import PhiConfig, PhiForCausalLM


class PhiParts(Parts):
    @property
    def final_norm(self) -> nn.Module:
        return self.base.final_layernorm

    def attention_out(self, layer: int) -> nn.Module:
        return self.attention(layer).dense

    def mlp_in(self, layer: int) -> nn.Module:
        return self.layers[layer].mlp.fc1

    def mlp_out(self, layer: int) -> nn.Module:
        return self.layers[layer].mlp.fc2

    def stream_taps(self, layer: int, name: str) -> Iterator[Tap]:
        yield Tap(f"{name}.ln1.normalized", self.layers[layer].input_layernorm)
        yield Tap(f"{name}.resid_post", self.layers[layer])

    def attention_taps(self, layer: int, name: str) -> Iterator[Tap]:
        yield from super().attention_taps(layer, name)
        for part in "qk" if self.config.qk_layernorm else "":
            norm = getattr(self.attention(layer), f"{part}_layernorm")
            yield Tap(f"{name}.attn.{part}_normed", norm, view=lambda x: x.transpose(0, 1))

    def mlp_taps(self, layer: int, name: str) -> Iterator[Tap]:
        yield Tap(f"{name}.mlp.pre", self.mlp_in(layer))
        yield Tap(f"{name}.mlp.post", self.mlp_out(layer), "in")
        yield Tap(f"{name}.mlp_out", self.mlp_out(layer))


def finish_phi(variant: Variant, folder: Path) -> None:
    finish(variant, folder)
    if variant.layout == "v5-config":
        path = folder / "config.json"
        config = json.loads(path.read_text())
        config["rope_parameters"]["partial_rotary_factor"] = config.pop("partial_rotary_factor")
        write_json(path, config)


base = {**CONFIG, "num_attention_heads": 2, "num_key_value_heads": None}
row = rows_of("phi", base)
FAMILY = Family(
    "phi",
    PhiConfig,
    PhiForCausalLM,
    (
        row("default", "parallel residual with one norm, biases everywhere, half of each head rotated", {
            "hidden_size": 32,
            "num_attention_heads": 4,
        }, sites=True),
        row("qk-layernorm", "qk_layernorm true: LayerNorm of each query and key; grouped keys", {
            "hidden_size": 32,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "qk_layernorm": True,
        }, sites=True),
        row("multi-query", "num_key_value_heads 1", {"num_key_value_heads": 1}),
        row("head-dim", "a head_dim that is not hidden_size / heads", {"head_dim": 12}),
        row("rotary-all", "partial_rotary_factor 1 and a rope_theta of its own", {
            "partial_rotary_factor": 1.0,
            "rope_theta": 300.0,
        }),
        row("rope-linear", "rope_scaling linear of a quarter of each head", {
            "partial_rotary_factor": 0.25,
            "rope_scaling": {"rope_type": "linear", "factor": 4.0},
        }),
        row("tied", "tie_word_embeddings true: the matrix is shared, the bias of the head stays", {
            "tie_word_embeddings": True,
        }),
        row("relu", "hidden_act relu, a layer_norm_eps that shows", {"hidden_act": "relu", "layer_norm_eps": 0.05}),
        row("v5-config", "config.json as transformers 5 writes it: partial_rotary_factor in rope_parameters", {
            "partial_rotary_factor": 0.25,
            "rope_theta": 300.0,
        }, layout="v5-config"),
    ),
    PhiParts,
    finish=finish_phi,
)  # fmt: skip
