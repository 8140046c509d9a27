"""
GPT-NeoX (Pythia): attention and MLP read the same stream, and only a part of each head is rotated.

- Parallel residual: resid_post = resid_pre + attn_out + mlp_out; `ln2` (post_attention_layernorm) reads resid_pre, and
  there is no resid_mid. `use_parallel_residual` false: the usual two steps, with resid_mid.
- query_key_value interleaves by head: for each head its q, then its k, then its v; the bias likewise.
- The first int(headDim · rotary_pct) numbers of a head are rotated, in halves of that part; the rest pass. The exponent
  of the frequencies is over that part too.
- The base is `rotary_emb_base`, the share `rotary_pct` (0.25 where left out). transformers 4 writes `rope_theta` and
  `partial_rotary_factor` beside them and does not read them back.
- `hidden_act` gelu is the erf form. LayerNorm with bias, 1e-5. `attention_bias` is of q, k, v and of the output.
- Older files carry attention.bias (the causal mask), attention.masked_bias and rotary_emb.inv_freq for each layer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import torch
from decoders import CONFIG, finish, rows_of
from family import Family, Variant
from files import write_json
from parts import Parts, Tap
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM


class GPTNeoXParts(Parts):
    body = "gpt_neox"

    @property
    def embedding(self) -> nn.Module:
        return self.base.embed_in

    def attention(self, layer: int) -> nn.Module:
        return self.layers[layer].attention

    def attention_out(self, layer: int) -> nn.Module:
        return self.attention(layer).dense

    def mlp_in(self, layer: int) -> nn.Module:
        return self.layers[layer].mlp.dense_h_to_4h

    def mlp_out(self, layer: int) -> nn.Module:
        return self.layers[layer].mlp.dense_4h_to_h

    def stream_taps(self, layer: int, name: str) -> Iterator[Tap]:
        taps = super().stream_taps(layer, name)
        yield from (t for t in taps if not (self.config.use_parallel_residual and t.site.endswith("resid_mid")))

    def attention_taps(self, layer: int, name: str) -> Iterator[Tap]:
        fused = self.attention(layer).query_key_value
        for i, part in enumerate("qkv"):
            view = lambda x, i=i: x.unflatten(-1, (self.heads, 3, self.head_dim))[:, :, i]
            yield Tap(f"{name}.attn.{part}", fused, view=view)
        yield Tap(f"{name}.attn.z", self.attention_out(layer), "in", self.by_head)
        yield Tap(f"{name}.attn_out", self.attention_out(layer))

    def mlp_taps(self, layer: int, name: str) -> Iterator[Tap]:
        yield Tap(f"{name}.mlp.pre", self.mlp_in(layer))
        yield Tap(f"{name}.mlp.post", self.mlp_out(layer), "in")
        yield Tap(f"{name}.mlp_out", self.mlp_out(layer))


def finish_neox(variant: Variant, folder: Path) -> None:
    finish(variant, folder)
    path = folder / "config.json"
    config = json.loads(path.read_text())
    if variant.layout == "v5-config":
        share = config.pop("rotary_pct")
        config.pop("rotary_emb_base")
        config["rope_parameters"]["partial_rotary_factor"] = share
    else:
        config.pop("rope_theta")
    config.pop("partial_rotary_factor")
    write_json(path, config)
    if variant.layout == "with-buffers":
        add_buffers(folder / "model.safetensors", variant.config)


def add_buffers(path: Path, config: dict) -> None:
    """The tensors that Pythia's files keep beside the weights."""
    tensors, length = load_file(path), config["max_position_embeddings"]
    rotated = int(config["hidden_size"] // config["num_attention_heads"] * 0.25)
    for layer in range(config["num_hidden_layers"]):
        name = f"gpt_neox.layers.{layer}.attention"
        tensors[f"{name}.bias"] = torch.ones(length, length).tril().view(1, 1, length, length)
        tensors[f"{name}.masked_bias"] = torch.tensor(-1e9)
        tensors[f"{name}.rotary_emb.inv_freq"] = 1 / 10000 ** (torch.arange(0, rotated, 2) / rotated)
    save_file(tensors, path, metadata={"format": "pt"})


base = {k: v for k, v in CONFIG.items() if k != "num_key_value_heads"}
row = rows_of("gpt_neox", {**base, "num_attention_heads": 2, "bos_token_id": 0, "eos_token_id": 0})
FAMILY = Family(
    "gpt_neox",
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    (
        row("default", "parallel residual, a quarter of each head rotated, as Pythia", {
            "hidden_size": 32,
            "num_attention_heads": 4,
        }, sites=True),
        row("sequential", "use_parallel_residual false", {"use_parallel_residual": False}, sites=True),
        row("rotary-all", "rotary_pct 1", {"rotary_pct": 1.0}),
        row("rotary-half", "rotary_pct 0.5 and a rotary_emb_base of its own", {
            "rotary_pct": 0.5,
            "rotary_emb_base": 300,
        }),
        row("rope-linear", "rope_scaling linear of the rotated part", {
            "rotary_pct": 0.5,
            "rope_scaling": {"type": "linear", "factor": 4.0},
        }),
        row("unbiased", "attention_bias false", {"attention_bias": False}),
        row("tied", "tie_word_embeddings true", {"tie_word_embeddings": True}),
        row("gelu-new", "hidden_act gelu_new, a layer_norm_eps that shows", {
            "hidden_act": "gelu_new",
            "layer_norm_eps": 0.05,
        }),
        row("relu", "hidden_act relu", {"hidden_act": "relu"}),
        row("with-buffers", "the masks and frequencies that Pythia's files keep as tensors", {
            "max_position_embeddings": 32,
        }, layout="with-buffers"),
        row("v5-config", "config.json as transformers 5 writes it: partial_rotary_factor in rope_parameters", {
            "rotary_pct": 0.5,
            "rotary_emb_base": 300,
        }, layout="v5-config"),
    ),
    GPTNeoXParts,
    finish=finish_neox,
)  # fmt: skip
