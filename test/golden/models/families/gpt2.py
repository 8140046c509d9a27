"""GPT-2: learned positions, LayerNorm before each sublayer, matrices stored as [in, out]."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from family import VOCAB_SIZE, Family, Variant
from files import write_json
from parts import AttentionTap, Parts, Tap
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel

CONFIG: dict[str, Any] = {
    "vocab_size": VOCAB_SIZE,
    "n_positions": 40,
    "n_embd": 24,
    "n_layer": 3,
    "n_head": 4,
    "bos_token_id": 0,
    "eos_token_id": 0,
}


def gpt2(name: str, purpose: str, config: dict[str, Any] | None = None, **rest: Any) -> Variant:
    return Variant(f"gpt2-{name}", "gpt2", purpose, {**CONFIG, **(config or {})}, **rest)


def gpt2_activation(function: str) -> Variant:
    purpose = f"activation_function {function}"
    config = {"activation_function": function, "n_layer": 2, "n_inner": 48}
    return gpt2(function.replace("_", "-"), purpose, config)


class GPT2Parts(Parts):
    body = "transformer"
    blocks = "h"

    @property
    def embedding(self) -> nn.Module:
        return self.base.wte

    @property
    def final_norm(self) -> nn.Module:
        return self.base.ln_f

    def norms(self, layer: int) -> tuple[nn.Module, nn.Module]:
        return self.layers[layer].ln_1, self.layers[layer].ln_2

    def attention(self, layer: int) -> nn.Module:
        return self.layers[layer].attn

    def attention_out(self, layer: int) -> nn.Module:
        return self.attention(layer).c_proj

    def mlp_in(self, layer: int) -> nn.Module:
        return self.layers[layer].mlp.c_fc

    def mlp_out(self, layer: int) -> nn.Module:
        return self.layers[layer].mlp.c_proj

    def outer_taps(self) -> Iterator[Tap]:
        yield Tap("embed", self.embedding)
        yield Tap("pos_embed", self.base.wpe)

    def attention_taps(self, layer: int, name: str) -> Iterator[Tap]:
        width = self.heads * self.head_dim
        for i, part in enumerate("qkv"):
            third = slice(i * width, (i + 1) * width)
            fused = self.attention(layer).c_attn
            yield Tap(f"{name}.attn.{part}", fused, view=lambda x, third=third: self.by_head(x[:, third]))
        yield Tap(f"{name}.attn.z", self.attention_out(layer), "in", self.by_head)
        yield Tap(f"{name}.attn_out", self.attention_out(layer))

    def mlp_taps(self, layer: int, name: str) -> Iterator[Tap]:
        yield Tap(f"{name}.mlp.pre", self.mlp_in(layer))
        yield Tap(f"{name}.mlp.post", self.mlp_out(layer), "in")
        yield Tap(f"{name}.mlp_out", self.mlp_out(layer))

    def attentions(self) -> Iterator[AttentionTap]:
        return iter(())  # the stored data have no scores


def finish(variant: Variant, folder: Path) -> None:
    """Names the tensors as in the first upload of GPT-2, with the causal masks that it keeps as tensors."""
    if variant.layout != "without-prefix":
        return
    path, config = folder / "config.json", json.loads((folder / "config.json").read_text())
    length = config["n_positions"]
    write_json(path, {**config, "n_ctx": length})
    weights = folder / "model.safetensors"
    tensors = {name.removeprefix("transformer."): tensor for name, tensor in load_file(weights).items()}
    for layer in range(config["n_layer"]):
        tensors[f"h.{layer}.attn.bias"] = torch.ones(length, length).tril().view(1, 1, length, length)
    save_file(tensors, weights, metadata={"format": "pt"})


VARIANTS: tuple[Variant, ...] = (
    gpt2("default", "GPT-2 as it is: tanh GELU, tied head", tokenizer=True, sites=True, edits=True),
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
    gpt2("bfloat16", "GPT-2 weights ([in, out]) in bfloat16", {"n_inner": 48}, dtype="bfloat16"),
)

FAMILY = Family("gpt2", GPT2Config, GPT2LMHeadModel, VARIANTS, GPT2Parts, finish=finish)
