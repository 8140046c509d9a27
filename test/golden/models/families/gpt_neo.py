"""
GPT-Neo: GPT-2 with Linear layers, windows in local layers, and scores that are not scaled.

- scores = q · k, without 1/√d. Biases: none on q, k and v, one on out_proj; c_fc and c_proj have theirs. Matrices are
  [out, in], though they are called c_fc and c_proj.
- `attention_types` [[["global", "local"], 2], ...] says the layers: the kinds in order, repeated. `attention_layers`
  beside it in config.json is derived, and not read.
- A local layer with window_size W: a query sees itself and the W − 1 positions before it.
- Masked scores overflow to -inf in transformers (two masks are added); stored here as the float32 minimum.
- intermediate_size null: 4 · hidden_size. Tied unless the config says otherwise. Position p is row p of wpe.
- Older files carry h.N.attn.attention.bias (the mask, windows included) and masked_bias.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from decoders import WINDOW, finish, rows_of
from families.gpt2 import GPT2Parts
from family import VOCAB_SIZE, Family, Variant
from parts import AttentionTap, Parts, Tap
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import GPTNeoConfig, GPTNeoForCausalLM


class GPTNeoParts(GPT2Parts):
    rotary = False

    def attention(self, layer: int) -> nn.Module:
        return self.layers[layer].attn.attention

    def attention_out(self, layer: int) -> nn.Module:
        return self.attention(layer).out_proj

    def attention_taps(self, layer: int, name: str) -> Iterator[Tap]:
        return Parts.attention_taps(self, layer, name)

    def attentions(self) -> Iterator[AttentionTap]:
        return Parts.attentions(self)


def finish_neo(variant: Variant, folder: Path) -> None:
    finish(variant, folder)
    if variant.layout != "with-buffers":
        return
    path, length = folder / "model.safetensors", variant.config["max_position_embeddings"]
    tensors, mask = load_file(path), torch.ones(length, length).tril()
    for layer, kind in enumerate(["global", "local"]):
        name = f"transformer.h.{layer}.attn.attention"
        seen = mask if kind == "global" else mask - mask.tril(-WINDOW)
        tensors |= {f"{name}.bias": seen.view(1, 1, length, length), f"{name}.masked_bias": torch.tensor(-1e9)}
    save_file(tensors, path, metadata={"format": "pt"})


row = rows_of("gpt_neo", {
    "vocab_size": VOCAB_SIZE,
    "hidden_size": 16,
    "num_layers": 2,
    "num_heads": 4,
    "intermediate_size": 24,
    "attention_types": [[["global", "local"], 1]],
    "window_size": WINDOW,
    "max_position_embeddings": 32,
    "bos_token_id": 0,
    "eos_token_id": 0,
})  # fmt: skip
FAMILY = Family(
    "gpt_neo",
    GPTNeoConfig,
    GPTNeoForCausalLM,
    (
        row("default", "a global and a local layer; 4 hidden_size neurons", {"intermediate_size": None}, sites=True),
        row("types", "attention_types of two groups: local, then global twice", {
            "num_layers": 3,
            "attention_types": [[["local"], 1], [["global"], 2]],
        }),
        row("untied", "tie_word_embeddings false, activation_function relu, a layer_norm_epsilon that shows", {
            "tie_word_embeddings": False,
            "activation_function": "relu",
            "layer_norm_epsilon": 0.05,
        }),
        row("with-buffers", "the masks that older files keep as tensors", layout="with-buffers"),
    ),
    GPTNeoParts,
    finish=finish_neo,
)  # fmt: skip
