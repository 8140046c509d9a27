"""Where a model keeps the modules that Cutaway's sites stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal

from torch import Tensor, nn

View = Callable[[Tensor], Tensor]


def whole(value: Tensor) -> Tensor:
    return value


@dataclass(frozen=True)
class Tap:
    """A site that is what a module returns, or what it is given; `view` has no batch axis."""

    site: str
    module: nn.Module
    side: Literal["in", "out"] = "out"
    view: View = whole


@dataclass(frozen=True)
class AttentionTap:
    """An attention module: `scores` go into its softmax, `rot_q` and `rot_k` into eager attention."""

    #: `blocks.0.attn`
    prefix: str
    module: nn.Module
    rotary: bool = False


class Parts:
    """
    A pre-norm decoder with the module names of Llama: `model.layers.N.{input_layernorm, self_attn, mlp ...}`.
    A family whose modules are elsewhere, or that has other sites, overrides what differs.
    """

    #: where the model keeps its body, and the body its blocks
    body = "model"
    blocks = "layers"
    rotary = True

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.config = model.config
        self.base = attrgetter(self.body)(model)
        #: blocks by their number in the loaded model, wherever they run
        self.layers = list(getattr(self.base, self.blocks))
        self.heads = self.config.num_attention_heads
        self.head_dim = getattr(self.config, "head_dim", None) or self.config.hidden_size // self.heads

    def run_order(self, layers: list[int]) -> None:
        """Runs these layers in this order; a layer may occur more than once."""
        modules = nn.ModuleList([self.layers[i] for i in layers])
        setattr(self.base, self.blocks, modules)
        self.config.num_hidden_layers = len(modules)  # transformers runs as many

    @property
    def embedding(self) -> nn.Module:
        return self.base.embed_tokens

    @property
    def final_norm(self) -> nn.Module:
        return self.base.norm

    def norms(self, layer: int) -> tuple[nn.Module, nn.Module]:
        block = self.layers[layer]
        return block.input_layernorm, block.post_attention_layernorm

    def attention(self, layer: int) -> nn.Module:
        return self.layers[layer].self_attn

    def attention_out(self, layer: int) -> nn.Module:
        """The projection whose input is z, heads side by side."""
        return self.attention(layer).o_proj

    def mlp_in(self, layer: int) -> nn.Module:
        return self.layers[layer].mlp.gate_proj

    def mlp_out(self, layer: int) -> nn.Module:
        """The projection whose input is mlp.post."""
        return self.layers[layer].mlp.down_proj

    def by_head(self, x: Tensor) -> Tensor:
        """[position, head·headDim] -> [position, head, headDim]"""
        return x.unflatten(-1, (-1, self.head_dim))

    def taps(self) -> Iterator[Tap]:
        """Every site that a module boundary shows."""
        yield from self.outer_taps()
        for layer in range(len(self.layers)):
            yield from self.block_taps(layer, f"blocks.{layer}")

    def outer_taps(self) -> Iterator[Tap]:
        yield Tap("embed", self.embedding)

    def block_taps(self, layer: int, name: str) -> Iterator[Tap]:
        yield from self.stream_taps(layer, name)
        yield from self.attention_taps(layer, name)
        yield from self.mlp_taps(layer, name)

    def stream_taps(self, layer: int, name: str) -> Iterator[Tap]:
        """The stream and its norms."""
        ln1, ln2 = self.norms(layer)
        yield Tap(f"{name}.ln1.normalized", ln1)
        yield Tap(f"{name}.ln2.normalized", ln2)
        yield Tap(f"{name}.resid_mid", ln2, "in")
        yield Tap(f"{name}.resid_post", self.layers[layer])

    def attention_taps(self, layer: int, name: str) -> Iterator[Tap]:
        for part in "qkv":
            yield Tap(f"{name}.attn.{part}", getattr(self.attention(layer), f"{part}_proj"), view=self.by_head)
        yield Tap(f"{name}.attn.z", self.attention_out(layer), "in", self.by_head)
        yield Tap(f"{name}.attn_out", self.attention_out(layer))

    def mlp_taps(self, layer: int, name: str) -> Iterator[Tap]:
        yield Tap(f"{name}.mlp.pre", self.mlp_in(layer))
        yield Tap(f"{name}.mlp.pre_linear", self.layers[layer].mlp.up_proj)
        yield Tap(f"{name}.mlp.post", self.mlp_out(layer), "in")
        yield Tap(f"{name}.mlp_out", self.mlp_out(layer))

    def attentions(self) -> Iterator[AttentionTap]:
        """The attention modules that are looked into."""
        for layer in range(len(self.layers)):
            yield AttentionTap(f"blocks.{layer}.attn", self.attention(layer), self.rotary)
