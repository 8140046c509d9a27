"""
OPT: learned positions, ReLU, LayerNorm before or after each sublayer, and an embedding of a width of its own.

- Row p + 2 of `embed_positions` is of position p; the table has max_position_embeddings + 2 rows.
- `word_embed_proj_dim` ≠ hidden_size: embedding · project_in enters the stream (that product is `embed`), and
  project_out follows the final norm, before the unembedding. Neither has a bias.
- `do_layer_norm_before` false (350m): ln1 follows attention, ln2 the MLP; resid_mid and resid_post are after them,
  resid_mid_raw and resid_post_raw before. Then there is no final norm. `_remove_final_layer_norm` leaves it out of a
  pre-norm model too. transformers' last hidden state is then the last resid_post, and after project_out where
  there is one: here `ln_final.normalized` is the norm itself, and is absent where there is none.
- A block's `final_layer_norm` is ln2, not the last norm; `decoder.final_layer_norm` is.
- The query is scaled before it meets the key; `attn.q` is before that scale. The norms' epsilon is always 1e-5.
- `layer_norm_elementwise_affine` false: norms without gain and bias, not in the file. `enable_bias` false: no biases in
  q, k, v, out, fc1 and fc2; norms keep theirs.
- Files saved from the bare model (the published ones) have no `model.` prefix. Tied unless the config says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from capture import Sites, forward, hook
from decoders import finish, rows_of
from family import VOCAB_SIZE, Family, Variant
from parts import Parts, Tap
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import OPTConfig, OPTForCausalLM


class OPTParts(Parts):
    body = "model.decoder"
    rotary = False

    @property
    def final_norm(self) -> nn.Module | None:
        return self.base.final_layer_norm

    def norms(self, layer: int) -> tuple[nn.Module, nn.Module]:
        return self.layers[layer].self_attn_layer_norm, self.layers[layer].final_layer_norm

    def attention_out(self, layer: int) -> nn.Module:
        return self.attention(layer).out_proj

    def mlp_in(self, layer: int) -> nn.Module:
        return self.layers[layer].fc1

    def mlp_out(self, layer: int) -> nn.Module:
        return self.layers[layer].fc2

    def outer_taps(self) -> Iterator[Tap]:
        yield Tap("embed", self.base.project_in or self.embedding)
        yield Tap("pos_embed", self.base.embed_positions)

    def stream_taps(self, layer: int, name: str) -> Iterator[Tap]:
        if self.config.do_layer_norm_before:
            yield from super().stream_taps(layer, name)
            return
        ln1, ln2 = self.norms(layer)
        for norm, module, stream in (("ln1", ln1, "resid_mid"), ("ln2", ln2, "resid_post")):
            yield Tap(f"{name}.{stream}_raw", module, "in")
            yield Tap(f"{name}.{norm}.normalized", module)
            yield Tap(f"{name}.{stream}", module)

    def mlp_taps(self, layer: int, name: str) -> Iterator[Tap]:
        yield Tap(f"{name}.mlp.pre", self.mlp_in(layer))
        yield Tap(f"{name}.mlp.post", self.mlp_out(layer), "in")
        yield Tap(f"{name}.mlp_out", self.mlp_out(layer))


def capture(model: nn.Module, ids: list[int]) -> Sites:
    """As other decoders', with the last norm by a hook: it need not be there, and is not the last hidden state."""
    norm, seen = model.model.decoder.final_layer_norm, {}
    with ExitStack() as stack:
        if norm is not None:
            stack.callback(hook(Tap("ln_final.normalized", norm), seen).remove)
        sites = forward(model, ids)
    del sites["ln_final.normalized"]
    return {**sites, **seen}


def finish_opt(variant: Variant, folder: Path) -> None:
    finish(variant, folder)
    if variant.layout == "without-prefix":
        path = folder / "model.safetensors"
        tensors = {name.removeprefix("model."): tensor for name, tensor in load_file(path).items()}
        save_file(tensors, path, metadata={"format": "pt"})


row = rows_of("opt", {
    "vocab_size": VOCAB_SIZE,
    "hidden_size": 16,
    "ffn_dim": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 32,
    "bos_token_id": 2,
    "eos_token_id": 2,
    "pad_token_id": 1,
    "word_embed_proj_dim": 16,
})  # fmt: skip
FAMILY = Family(
    "opt",
    OPTConfig,
    OPTForCausalLM,
    (
        row("default", "LayerNorm before sublayers, ReLU", sites=True),
        row("post-norm", "do_layer_norm_before false, width of the embedding its own, as 350m", {
            "do_layer_norm_before": False,
            "word_embed_proj_dim": 12,
        }, sites=True),
        row("projected", "word_embed_proj_dim that is not hidden_size, with a final norm", {"word_embed_proj_dim": 12}),
        row("unbiased", "enable_bias false", {"enable_bias": False}),
        row("plain-norms", "layer_norm_elementwise_affine false", {"layer_norm_elementwise_affine": False}),
        row("no-final-norm", "_remove_final_layer_norm true", {"_remove_final_layer_norm": True}),
        row("untied", "tie_word_embeddings false, activation_function gelu", {
            "tie_word_embeddings": False,
            "activation_function": "gelu",
        }),
        row("without-prefix", "tensors without model., as in the published files", layout="without-prefix"),
    ),
    OPTParts,
    capture=capture,
    finish=finish_opt,
)  # fmt: skip
