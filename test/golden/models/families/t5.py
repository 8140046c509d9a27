"""
T5: positions by a bias on the scores, RMSNorm before each sublayer, no biases of linear maps, no scale of scores.

What a reader of its files must know:

- The bias table of a stack is in its block 0, and its values are added in every block: `attn.bias` is the same in all
  of them. Skipping block 0 leaves it to the others. Cross-attention has none, though the first uploads hold a table
  `decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight`, which is never read.
- Buckets: the encoder halves them between the past and the future (the future gets the upper half), the decoder gives
  all to the past and bucket 0 to the future, which is masked: `attn.bias` is before the mask. Half of a direction's
  buckets are one distance each, the others grow with the logarithm up to `relative_attention_max_distance`, beyond
  which the last one holds. transformers takes the logarithm in float32; in float64 the buckets are the same, for all
  even counts up to 64 and ten distances up to 512, but for 36 buckets up to 32 and 54 up to 64, in one distance each.
- Scores are not divided by the root of `d_kv`; `num_heads * d_kv` need not be `d_model`.
- Where `tie_word_embeddings`, what the head reads is `decoder.ln_final.normalized` times `d_model ** -0.5`; where not
  (1.1), it is not scaled, and `lm_head.weight` is of its own.
- `gated-gelu` means the tanh GELU (`gelu_new`), `gelu` alone the erf one; `gated-` gives two first matrices, `wi_0`
  (activated) and `wi_1`. Config files also have `dense_act_fn` and `is_gated_act`, which say the same.
- `num_decoder_layers` is `num_layers` where it is left out. (`model.generate` of transformers 4.57.3 fails where it is
  more: its cache has too few layers. Here it is given one that grows.) Files may hold `shared.weight` again as
  `encoder.embed_tokens.weight`, `decoder.embed_tokens.weight` and, where tied, `lm_head.weight`.
- Targets begin with `decoder_start_token_id`, which is the padding id; it is attended to.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from capture import Sites
from encoder_decoder import (
    Finish,
    Prompt,
    StackedParts,
    attention_taps,
    forward,
    generate,
    greedy,
    heads,
    load,
    prompts_from,
)
from family import VOCAB_SIZE, Family, Generation, Variant, draw
from parts import Tap
from safetensors.torch import load_file, save_file
from site_edits import Entry, scaled
from torch import Tensor, nn
from transformers import T5Config, T5ForConditionalGeneration
from transformers.models.t5.modeling_t5 import T5LayerNorm

START = 0
PROMPTS = prompts_from(START)
CONFIG: dict[str, Any] = {
    "vocab_size": VOCAB_SIZE,
    "d_model": 24,
    "d_kv": 7,
    "d_ff": 32,
    "num_layers": 2,
    "num_heads": 3,
    "relative_attention_num_buckets": 8,
    "relative_attention_max_distance": 12,
    "decoder_start_token_id": START,
    "pad_token_id": 0,
    "eos_token_id": 1,
}
#: Of the variants of which not every site is stored.
SMALL = {"d_model": 16, "d_kv": 5, "d_ff": 24}


class T5Parts(StackedParts):
    def blocks_of(self, stack: nn.Module) -> nn.ModuleList:
        return stack.block

    def stack_taps(self, name: str, stack: nn.Module) -> Iterator[Tap]:
        yield Tap(f"{name}.embed", stack.block[0], "in")  # the table is one module for both stacks
        yield Tap(f"{name}.ln_final.normalized", stack.final_layer_norm)

    def block_taps(self, name: str, block: nn.Module) -> Iterator[Tap]:
        yield Tap(f"{name}.resid_pre", block, "in")
        yield from self.t5_attention(name, block.layer[0].SelfAttention, "attn")
        yield from pre_norm_taps(name, "ln1", "resid_mid", block.layer[0])
        if len(block.layer) == 3:
            yield from self.t5_attention(name, block.layer[1].EncDecAttention, "cross_attn")
            yield from pre_norm_taps(name, "ln_cross", "resid_cross", block.layer[1])
        yield from pre_norm_taps(name, "ln2", "resid_post", block.layer[-1])
        yield from mlp_taps(name, block.layer[-1].DenseReluDense)

    def t5_attention(self, name: str, attention: nn.Module, site: str) -> Iterator[Tap]:
        projections = {part: getattr(attention, part) for part in "qkv"}
        return attention_taps(name, site, projections, attention.o, heads(attention.n_heads))


def pre_norm_taps(name: str, norm: str, stream: str, sublayer: nn.Module) -> Iterator[Tap]:
    yield Tap(f"{name}.{norm}.normalized", sublayer.layer_norm)
    yield Tap(f"{name}.{stream}", sublayer)


def mlp_taps(name: str, mlp: nn.Module) -> Iterator[Tap]:
    if hasattr(mlp, "wi_0"):
        yield Tap(f"{name}.mlp.pre", mlp.wi_0)
        yield Tap(f"{name}.mlp.pre_linear", mlp.wi_1)
    else:
        yield Tap(f"{name}.mlp.pre", mlp.wi)
    yield Tap(f"{name}.mlp.post", mlp.wo, "in")
    yield Tap(f"{name}.mlp_out", mlp.wo)


def biases(model: nn.Module, lengths: dict[str, int]) -> Sites:
    """The bias that every block of a stack adds to its scores, before the mask."""
    sites: Sites = {}
    for name, length in lengths.items():
        blocks = getattr(model, name).block
        bias = blocks[0].layer[0].SelfAttention.compute_bias(length, length)[0]
        sites |= {f"{name}.blocks.{i}.attn.bias": bias.clone() for i in range(len(blocks))}
    return sites


def rms_norm(self: T5LayerNorm, x: Tensor) -> Tensor:
    return self.weight * x * (x.square().mean(-1, keepdim=True) + self.variance_epsilon).rsqrt()


@contextmanager
def full_precision(model: nn.Module) -> Iterator[None]:
    """Where the model is in float64, its norms and softmaxes are too; transformers casts both to float32."""
    if model.dtype is not torch.float64:
        yield
        return
    to_float, norm = Tensor.float, T5LayerNorm.forward
    Tensor.float = lambda x: x if x.dtype is torch.float64 else to_float(x)
    T5LayerNorm.forward = rms_norm
    try:
        yield
    finally:
        Tensor.float, T5LayerNorm.forward = to_float, norm


def t5_forward(model: nn.Module, prompt: Prompt) -> Sites:
    with full_precision(model):
        sites = forward(model, prompt, last="ln_final.normalized")
    return sites | biases(model, {"encoder": len(prompt["source"]), "decoder": len(prompt["target"])})


def t5_draw(name: str, shape: torch.Size, source: torch.Generator, dtype: torch.dtype) -> Tensor:
    """Biases that show; a tied head with more of an embedding, or of the source, would say one token for ever."""
    if "relative_attention_bias" in name:
        return torch.randn(shape, generator=source, dtype=dtype)
    weight = draw(name, shape, source, dtype)
    if name.endswith("EncDecAttention.o.weight"):
        return 0.4 * weight
    return 1.4 * weight if name.endswith((".o.weight", ".wo.weight")) else weight


def as_first_uploaded(path: Path) -> None:
    """The embedding under all its names, and a table of cross-attention that nobody reads."""
    tensors = load_file(path)
    for name in ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight"):
        tensors[name] = tensors["shared.weight"].clone()
    table = torch.randn(8, CONFIG["num_heads"], generator=torch.Generator().manual_seed(99))
    tensors["decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"] = table
    save_file(tensors, path, metadata={"format": "pt"})


FINISH = Finish(
    T5Parts,
    PROMPTS,
    CONFIG["pad_token_id"],
    "decoder.block.1.layer.1.EncDecAttention.v.weight",
    [Entry("scale-encoded", scaled("encoder.ln_final.normalized", "[position=3]", (slice(None), 3), 2.0))],
)


def finish(variant: Variant, folder: Path) -> None:
    if variant.layout == "first-upload":
        as_first_uploaded(folder / "model.safetensors")
    FINISH(load(T5ForConditionalGeneration, folder), variant, folder)


def t5(name: str, purpose: str, config: dict[str, Any] | None = None, **rest: Any) -> Variant:
    width = {} if rest.get("sites") else SMALL
    return Variant(f"t5-{name}", "t5", purpose, {**CONFIG, **width, **(config or {})}, **rest)


GATED = {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}

VARIANTS: tuple[Variant, ...] = (
    t5("default", "T5 1.0: ReLU, a tied and scaled head", sites=True),
    t5("gated", "T5 1.1: a gated tanh GELU, a head of its own", GATED, sites=True),
    t5("gated-silu", "feed_forward_proj gated-silu", {**GATED, "feed_forward_proj": "gated-silu"}),
    t5("gelu", "feed_forward_proj gelu, which is the erf GELU", {"feed_forward_proj": "gelu"}),
    t5("deep-decoder", "num_decoder_layers that is not num_layers", {"num_decoder_layers": 3}),
    t5("untied", "T5 1.0 with a head of its own", {"tie_word_embeddings": False}),
    t5("epsilon", "a layer_norm_epsilon that shows", {"layer_norm_epsilon": 0.05}),
    t5(
        "buckets",
        "the published 32 buckets up to 128, and heads as wide as the model",
        {"relative_attention_num_buckets": 32, "relative_attention_max_distance": 128, "d_model": 15},
    ),
    t5("first-upload", "the embedding under four names, and a table that nobody reads", layout="first-upload"),
)

FAMILY = Family(
    "t5",
    T5Config,
    T5ForConditionalGeneration,
    VARIANTS,
    T5Parts,
    prompts=PROMPTS,
    capture=t5_forward,
    generation=Generation({"source": [11, 3, 50, 28, 36], "target": [START]}, 20, greedy, generate),
    draw=t5_draw,
    finish=finish,
)
