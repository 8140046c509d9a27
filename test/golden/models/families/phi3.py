"""
Phi-3: Llama with q, k and v in one matrix and gate and up in another; LongRoPE.

- qkv_proj rows: all of q, all of k, all of v. gate_up_proj rows: gate, then up.
- `partial_rotary_factor`: the first int(headDim · factor) numbers of a head are rotated.
- `sliding_window` null (the default) or one window for all layers.
- LongRoPE: frequency i is 1 / (factor_i · base^(2i/d)); `long_factor` where the sequence up to now is longer than
  `original_max_position_embeddings` (top level of config.json, 4096 where left out), else `short_factor`. The choice is
  of the whole pass: at 11 positions with an original of 8, positions 0..7 are rotated by the long factors too.
- cos and sin are multiplied by √(1 + ln s / ln original), s = max_position_embeddings / original, if s > 1; with short
  factors too. `factor` and `attention_factor` in rope_scaling are refused: exactly three fields.
- A generation that grows past the original length makes all keys anew with the long factors: `generate` drops the cache
  then, and so does `greedy` here; `greedy` and `greedyUncached` agree, and so does transformers 5. In 4.57 that one
  pass is not causal (its mask has one row, of the last position, for all), so its `generate` is not asked there.
- `rope_scaling.type` "su" and "yarn" mean "longrope" (first uploads); transformers 5 refuses such a config.
- pad and eos default to 32000.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import torch
import transformers
from capture import generate
from decoders import CONFIG, WINDOW, finish, rows_of
from family import Family, Generation, Variant
from files import write_json
from parts import Parts, Tap
from torch import Tensor, nn
from transformers import Phi3Config, Phi3ForCausalLM

ORIGINAL = 8
LONGROPE = {
    "type": "longrope",
    "short_factor": [1.0, 1.1, 1.3, 1.8],
    "long_factor": [1.2, 2.0, 3.5, 4.0],
}
STRETCHED = {"rope_scaling": LONGROPE, "max_position_embeddings": 32, "original_max_position_embeddings": ORIGINAL}
#: `within` is not longer than the original length; `long` is
PROMPTS = {
    "short": [17],
    "within": [5, 42, 9, 9, 31, 0, 58, 23],
    "long": [5, 42, 9, 9, 31, 0, 58, 23, 42, 12, 7],
}


class Phi3Parts(Parts):
    def attention_taps(self, layer: int, name: str) -> Iterator[Tap]:
        attention, kv_heads = self.attention(layer), self.config.num_key_value_heads
        widths = [heads * self.head_dim for heads in (self.heads, kv_heads, kv_heads)]
        for i, part in enumerate("qkv"):
            view = lambda x, i=i: self.by_head(x.split(widths, dim=-1)[i])
            yield Tap(f"{name}.attn.{part}", attention.qkv_proj, view=view)
        yield Tap(f"{name}.attn.z", self.attention_out(layer), "in", self.by_head)
        yield Tap(f"{name}.attn_out", self.attention_out(layer))

    def mlp_taps(self, layer: int, name: str) -> Iterator[Tap]:
        fused = self.layers[layer].mlp.gate_up_proj
        yield Tap(f"{name}.mlp.pre", fused, view=lambda x: x.chunk(2, dim=-1)[0])
        yield Tap(f"{name}.mlp.pre_linear", fused, view=lambda x: x.chunk(2, dim=-1)[1])
        yield Tap(f"{name}.mlp.post", self.mlp_out(layer), "in")
        yield Tap(f"{name}.mlp_out", self.mlp_out(layer))


def is_longrope(config: Phi3Config) -> bool:
    scaling = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    return "long_factor" in scaling


def greedy(model: nn.Module, prompt: list[int], steps: int, *, cache: bool = True) -> tuple[list[int], Tensor]:
    """As the other decoders', but the cache is made anew by the first pass that is longer than the original length."""
    ids, rows, past = list(prompt), [], None
    for _ in range(steps):
        if is_longrope(model.config) and len(ids) == model.config.original_max_position_embeddings + 1:
            past = None
        fed = ids if past is None else ids[-1:]
        out = model(input_ids=torch.tensor([fed]), past_key_values=past, use_cache=cache)
        past = out.past_key_values if cache else None
        rows.append(out.logits[0, -1])
        ids.append(int(rows[-1].argmax()))
    return ids[len(prompt) :], torch.stack(rows)


def generate_causally(model: nn.Module, prompt: list[int], steps: int) -> list[int]:
    """By `model.generate`, except where transformers 4 makes the cache anew without a causal mask."""
    is_wrong = transformers.__version__.startswith("4.") and is_longrope(model.config)
    return greedy(model, prompt, steps, cache=False)[0] if is_wrong else generate(model, prompt, steps)


def finish_phi3(variant: Variant, folder: Path) -> None:
    finish(variant, folder)
    path = folder / "config.json"
    config = json.loads(path.read_text())
    if variant.layout == "v5-config":
        rope = config["rope_parameters"]
        rope = {**rope, "partial_rotary_factor": config.pop("partial_rotary_factor")}
        if "type" in rope:
            rope |= {"rope_type": rope.pop("type"), "original_max_position_embeddings": ORIGINAL}
        write_json(path, {**config, "rope_parameters": rope})


row = rows_of("phi3", {**CONFIG, "pad_token_id": 0, "num_attention_heads": 2, "num_key_value_heads": 1})
FAMILY = Family(
    "phi3",
    Phi3Config,
    Phi3ForCausalLM,
    (
        row("default", "fused matrices, grouped keys", {
            "hidden_size": 32,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
        }, sites=True),
        row("sliding", "a sliding window in all layers; as many keys as queries", {
            "sliding_window": WINDOW,
            "num_key_value_heads": 2,
        }),
        row("partial-rotary", "partial_rotary_factor 0.5", {"partial_rotary_factor": 0.5}),
        row("longrope", "LongRoPE, crossed by a prompt and by the generation", STRETCHED, prompts=PROMPTS, sites=True),
        row("longrope-partial", "LongRoPE of three quarters of a head", {
            **STRETCHED,
            "rope_scaling": {k: v if k == "type" else v[:3] for k, v in LONGROPE.items()},
            "partial_rotary_factor": 0.75,
        }, prompts=PROMPTS),
        row("longrope-within", "LongRoPE whose original length is never left", {
            "rope_scaling": LONGROPE,
            "max_position_embeddings": 64,
            "original_max_position_embeddings": 32,
        }),
        row("longrope-su", "LongRoPE under its first name, su", {
            **STRETCHED,
            "rope_scaling": {**LONGROPE, "type": "su"},
        }, prompts=PROMPTS),
        row("tied", "tie_word_embeddings true", {"tie_word_embeddings": True}),
        row("gelu", "hidden_act gelu; rms_norm_eps and rope_theta that show", {
            "hidden_act": "gelu",
            "rms_norm_eps": 0.05,
            "rope_theta": 300.0,
        }),
        row("v5-config", "config.json as transformers 5 writes it: LongRoPE in rope_parameters", {
            **STRETCHED,
            "partial_rotary_factor": 1.0,
        }, prompts=PROMPTS, layout="v5-config"),
    ),
    Phi3Parts,
    generation=Generation(greedy=greedy, generate=generate_causally),
    finish=finish_phi3,
)  # fmt: skip
