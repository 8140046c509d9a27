"""
mBART: BART with norms before each sublayer, and one, `layer_norm`, after the last block of each stack (`ln_final`).

What a reader of its files must know:

- Tables, positions, `scale_embedding`, `final_logits_bias` and the LayerNorm of the embeddings are BART's; the published
  ones scale.
- The config has no `decoder_start_token_id` unless it was set, and `model.generate` then begins with `bos_token_id`. (Its
  training begins with the last token of the source, the code of a language; here the id is given.)
- With `tie_word_embeddings` false each stack reads a table of its own, and the head `lm_head.weight`. transformers 4.57
  writes such a model with `model.shared.weight` alone, and reads its own file with random embeddings; here the file has
  all tables, of the same numbers in both stacks.
- `normalize_before` and `add_final_layer_norm` of older configs are true, and not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from capture import Sites
from encoder_decoder import Finish, Prompt, StackedParts, forward, generate, greedy, load, prompts_from
from family import VOCAB_SIZE, Family, Generation, Variant
from families.bart import SMALL, bart_draw
from parts import Tap
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import MBartConfig, MBartForConditionalGeneration

START = 2
PROMPTS = prompts_from(START)
CONFIG: dict[str, Any] = {
    "vocab_size": VOCAB_SIZE,
    "max_position_embeddings": 30,
    "d_model": 24,
    "encoder_layers": 2,
    "encoder_attention_heads": 4,
    "encoder_ffn_dim": 28,
    "decoder_layers": 2,
    "decoder_attention_heads": 3,
    "decoder_ffn_dim": 36,
    "scale_embedding": True,
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "decoder_start_token_id": START,
    "forced_eos_token_id": None,
}
PLAIN = {"activation_function": "relu", "scale_embedding": False}


class MBartParts(StackedParts):
    def stack_taps(self, name: str, stack: nn.Module) -> Iterator[Tap]:
        yield from super().stack_taps(name, stack)
        yield Tap(f"{name}.ln_final.normalized", stack.layer_norm)

    def block_taps(self, name: str, block: nn.Module) -> Iterator[Tap]:
        yield Tap(f"{name}.resid_pre", block, "in")
        yield from self.sublayer_taps(name, block.self_attn, "attn")
        yield Tap(f"{name}.ln1.normalized", block.self_attn_layer_norm)
        if hasattr(block, "encoder_attn"):
            yield Tap(f"{name}.resid_mid", block.encoder_attn_layer_norm, "in")
            yield from self.sublayer_taps(name, block.encoder_attn, "cross_attn")
            yield Tap(f"{name}.ln_cross.normalized", block.encoder_attn_layer_norm)
        stream = "resid_cross" if hasattr(block, "encoder_attn") else "resid_mid"
        yield Tap(f"{name}.{stream}", block.final_layer_norm, "in")
        yield Tap(f"{name}.ln2.normalized", block.final_layer_norm)
        yield Tap(f"{name}.mlp.pre", block.fc1)
        yield Tap(f"{name}.mlp.post", block.fc2, "in")
        yield Tap(f"{name}.mlp_out", block.fc2)
        yield Tap(f"{name}.resid_post", block)


def capture(model: nn.Module, prompt: Prompt) -> Sites:
    return forward(model, prompt, last="ln_final.normalized")


def finish(variant: Variant, folder: Path) -> None:
    """
    As `Finish`, with all tables where the stacks have their own, but without interventions: a hook at the norm that
    reads the stream would not change the stream.
    """
    if variant.layout == "tables-apart":
        path = folder / "model.safetensors"
        tensors = load_file(path)
        for stack in ("encoder", "decoder"):
            tensors[f"model.{stack}.embed_tokens.weight"] = tensors["model.shared.weight"].clone()
        save_file(tensors, path, metadata={"format": "pt"})
    model = load(MBartForConditionalGeneration, folder)
    assert torch.isfinite(model(torch.tensor([[5]]), decoder_input_ids=torch.tensor([[START]])).logits).all()
    Finish(MBartParts, PROMPTS, CONFIG["pad_token_id"], "")(model, Variant("", "", ""), folder)


FAMILY = Family(
    "mbart",
    MBartConfig,
    MBartForConditionalGeneration,
    (
        Variant("mbart-default", "mbart", "norms before, and after the last block; scaled embeddings", CONFIG, sites=True),
        Variant("mbart-relu", "mbart", "activation_function relu, not scaled", {**CONFIG, **PLAIN}),
        Variant(
            "mbart-deep-decoder",
            "mbart",
            "more decoder layers than encoder layers",
            {**CONFIG, **SMALL, "decoder_layers": 3},
        ),
        Variant(
            "mbart-untied",
            "mbart",
            "tie_word_embeddings false: a table of tokens in each stack, and a head of its own",
            {**CONFIG, **SMALL, "tie_word_embeddings": False},
            layout="tables-apart",
        ),
    ),
    MBartParts,
    prompts=PROMPTS,
    capture=capture,
    generation=Generation({"source": [11, 3, 50, 28, 36], "target": [START]}, 20, greedy, generate),
    draw=bart_draw,
    finish=finish,
)
