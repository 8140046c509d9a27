"""What the families of decoders share: a small config, a writer of rows, and parts that several of them have."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from family import VOCAB_SIZE, Variant, draw
from files import write_json
from parts import Parts, Tap, whole
from torch import Tensor

#: As small as heads of 8 and grouped keys allow; windows are 4, so that the long prompt leaves them.
CONFIG: dict[str, Any] = {
    "vocab_size": VOCAB_SIZE,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 48,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
WINDOW = 4

Row = Callable[..., Variant]


def rows_of(family: str, base: dict[str, Any]) -> Row:
    """A writer of variants: row(name, purpose, config, **rest), the config over the family's own."""
    prefix = family.replace("_", "-")

    def row(name: str, purpose: str, config: dict[str, Any] | None = None, **rest: Any) -> Variant:
        return Variant(f"{prefix}-{name}", family, purpose, {**base, **(config or {})}, **rest)

    return row


def finish(variant: Variant, folder: Path) -> None:
    """config.json as published ones are: what the row says, and no `layer_types` that transformers derived from it."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    if variant.layout == "v5-config":
        write_json(path, in_v5_words(config))
        return
    derived = {"layer_types", "no_rope_layers"} - set(variant.config)
    write_json(path, {k: variant.config.get(k, v) for k, v in config.items() if k not in derived})


def in_v5_words(config: dict[str, Any]) -> dict[str, Any]:
    """As transformers 5 writes it: `rope_parameters` instead of `rope_theta` and `rope_scaling`."""
    scaling = config.get("rope_scaling") or {"rope_type": "default"}
    dropped = ("rope_scaling", "rope_theta", "transformers_version")
    rest = {k: v for k, v in config.items() if k not in dropped}
    return {**rest, "rope_parameters": {**scaling, "rope_theta": config["rope_theta"]}}


def draw_gemma(name: str, shape: torch.Size, source: torch.Generator, dtype: torch.dtype) -> Tensor:
    """As `draw`, for norms that multiply by 1 + weight; with a tied head, an embedding less loud does not echo."""
    drawn = draw(name, shape, source, dtype)
    if "norm" in name:
        return drawn - 1
    if "embed" in name:
        return 0.4 * drawn
    return 2 * drawn if "o_proj" in name or "down_proj" in name else drawn


class NormedHeads(Parts):
    """Queries and keys are normed, each head for itself, before they are rotated."""

    #: whether the norms see [position, head, headDim]; else [head, position, headDim]
    position_first = True

    def attention_taps(self, layer: int, name: str) -> Iterator[Tap]:
        yield from super().attention_taps(layer, name)
        view = whole if self.position_first else lambda x: x.transpose(0, 1)
        yield Tap(f"{name}.attn.q_normed", self.attention(layer).q_norm, view=view)
        yield Tap(f"{name}.attn.k_normed", self.attention(layer).k_norm, view=view)


class NormedBothSides(Parts):
    """A norm before each sublayer and one after it, before what it adds to the stream. Gemma 2."""

    def norms(self, layer: int) -> tuple[Any, Any]:
        return self.layers[layer].input_layernorm, self.layers[layer].pre_feedforward_layernorm

    def block_taps(self, layer: int, name: str) -> Iterator[Tap]:
        yield from super().block_taps(layer, name)
        yield from post_norm_taps(self, layer, name)


def post_norm_taps(parts: Parts, layer: int, name: str) -> Iterator[Tap]:
    """What norms after the sublayers read and make; `attn_out` and `mlp_out` are what is added to the stream."""
    block = parts.layers[layer]
    after_attention, after_mlp = block.post_attention_layernorm, block.post_feedforward_layernorm
    norms = (("ln1_post", "attn", after_attention), ("ln2_post", "mlp", after_mlp))
    for norm, sublayer, module in norms:
        yield Tap(f"{name}.{sublayer}.out_raw", module, "in")
        yield Tap(f"{name}.{norm}.normalized", module)
        yield Tap(f"{name}.{sublayer}_out", module)
