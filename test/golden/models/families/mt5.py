"""
mT5 and umT5: T5 1.1 by other names.

What a reader of their files must know:

- Defaults of their configs are not T5's: `feed_forward_proj` is `gated-gelu`; `tie_word_embeddings` is false in mT5
  and true in umT5. As in T5, a tied head reads `decoder.ln_final.normalized` times `d_model ** -0.5`.
- umT5 has a table of distances in each block, so `attn.bias` differs from block to block; mT5 one in block 0.
- transformers 5.23 scales what umT5's head reads, tied or not: of `umt5-default` its logits are `d_model ** -0.5` times
  those of transformers 4, and `--check` agrees under 4 alone.
- `scalable_attention` of umT5's published configs is not read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from capture import Sites
from encoder_decoder import Finish, Prompt, forward, generate, greedy, load
from family import Family, Generation, Variant
from families.t5 import CONFIG, PROMPTS, SMALL, START, T5Parts, rms_norm, t5_draw
from torch import Tensor, nn
from transformers import MT5Config, MT5ForConditionalGeneration, UMT5Config, UMT5ForConditionalGeneration
from transformers.models.mt5.modeling_mt5 import MT5LayerNorm
from transformers.models.umt5.modeling_umt5 import UMT5LayerNorm

NORMS = (MT5LayerNorm, UMT5LayerNorm)


@contextmanager
def full_precision(model: nn.Module) -> Iterator[None]:
    """As in t5.py."""
    if model.dtype is not torch.float64:
        yield
        return
    to_float, forwards = Tensor.float, [norm.forward for norm in NORMS]
    Tensor.float = lambda x: x if x.dtype is torch.float64 else to_float(x)
    for norm in NORMS:
        norm.forward = rms_norm
    try:
        yield
    finally:
        Tensor.float = to_float
        for norm, kept in zip(NORMS, forwards, strict=True):
            norm.forward = kept


def biases(model: nn.Module, lengths: dict[str, int]) -> Sites:
    """What each block adds to its scores: by its own table where it has one, else by that of block 0."""
    sites: Sites = {}
    for name, length in lengths.items():
        first = getattr(model, name).block[0].layer[0].SelfAttention
        for i, block in enumerate(getattr(model, name).block):
            attention = block.layer[0].SelfAttention
            owner = attention if attention.has_relative_attention_bias else first
            sites[f"{name}.blocks.{i}.attn.bias"] = owner.compute_bias(length, length)[0].clone()
    return sites


def capture(model: nn.Module, prompt: Prompt) -> Sites:
    with full_precision(model):
        sites = forward(model, prompt, last="ln_final.normalized")
    return sites | biases(model, {"encoder": len(prompt["source"]), "decoder": len(prompt["target"])})


def finish(model_class: type) -> Callable[[Variant, Path], None]:
    done = Finish(T5Parts, PROMPTS, CONFIG["pad_token_id"], "decoder.block.1.layer.1.EncDecAttention.v.weight")
    return lambda variant, folder: done(load(model_class, folder), variant, folder)


def family(name: str, config_class: type, model_class: type, variants: tuple[Variant, ...]) -> Family:
    return Family(
        name,
        config_class,
        model_class,
        variants,
        T5Parts,
        prompts=PROMPTS,
        capture=capture,
        generation=Generation({"source": [11, 3, 50, 28, 36], "target": [START]}, 20, greedy, generate),
        draw=t5_draw,
        finish=finish(model_class),
    )


def variant(family: str, name: str, purpose: str, config: dict[str, Any] | None = None, **rest: Any) -> Variant:
    width = {} if rest.get("sites") else SMALL
    return Variant(f"{family}-{name}", family, purpose, {**CONFIG, **width, **(config or {})}, **rest)


FAMILIES = (
    family("mt5", MT5Config, MT5ForConditionalGeneration, (variant("mt5", "default", "T5 1.1 by the defaults of mT5"),)),
    family(
        "umt5",
        UMT5Config,
        UMT5ForConditionalGeneration,
        (
            variant(
                "umt5",
                "default",
                "a table of distances in each block",
                {"tie_word_embeddings": False},
                seed=8,
                sites=True,
            ),
            variant("umt5", "tied", "a tied and scaled head, the default of umT5"),
            variant("umt5", "deep-decoder", "more tables in the decoder than in the encoder", {"num_decoder_layers": 3}),
            variant("umt5", "relu", "feed_forward_proj relu, not gated", {"feed_forward_proj": "relu"}),
        ),
    ),
)
