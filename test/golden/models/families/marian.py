"""
Marian (OPUS-MT): BART's blocks with sinusoidal positions and without a LayerNorm of the embeddings.

What a reader of its files must know:

- The position tables are not in the file. Row p has the sines of p / 10000^(2i/d) in its first half and the cosines in
  its second, i from 0 to d/2: not by turns. Position 0 is row 0. (Old files have the tables, as
  `model.encoder.embed_positions.weight`; they hold the same numbers.)
- `scale_embedding` multiplies the word embedding, not the head, by the root of `d_model`; `embed` is scaled.
- `final_logits_bias`, [1, vocab], is added to the logits, and here it is learned: the files of OPUS-MT have it.
- With `share_encoder_decoder_embeddings` false the file has `model.encoder.embed_tokens.weight` and
  `model.decoder.embed_tokens.weight`, and no `model.shared.weight`; the head is tied to the decoder's. The logits are
  over `decoder_vocab_size`, which transformers 4.57.3 supports only where it equals `vocab_size`: it makes both
  embeddings of `vocab_size`.
- With `tie_word_embeddings` false the head is `lm_head.weight`.
- `activation_function` is `swish` in what is published. The epsilon of all LayerNorms is 1e-5; no field says so.
- Targets begin with `decoder_start_token_id`, which is the padding id. Published configs forbid generating it
  (`bad_words_ids`) and end with `forced_eos_token_id` 0, the default where the config has none; here neither is set.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from encoder_decoder import Finish, StackedParts, forward, generate, greedy, load, prompts_from
from family import VOCAB_SIZE, Family, Generation, Variant, draw
from files import write_json
from parts import Tap
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import MarianConfig, MarianMTModel

START = 60
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
    "activation_function": "swish",
    "scale_embedding": True,
    "pad_token_id": START,
    "eos_token_id": 0,
    "bos_token_id": 0,
    "decoder_start_token_id": START,
    "forced_eos_token_id": None,
}
#: Of the variants of which not every site is stored.
SMALL = {"d_model": 16, "encoder_ffn_dim": 20, "decoder_attention_heads": 2, "decoder_ffn_dim": 24}


class MarianParts(StackedParts):
    """The table of both stacks may be one module, and its scale stands outside: here each has its own."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        for stack in self.stacks.values():
            table = stack.embed_tokens
            stack.embed_tokens = nn.Embedding(table.num_embeddings, table.embedding_dim, _weight=table.weight)

    def stack_taps(self, name: str, stack: nn.Module) -> Iterator[Tap]:
        yield Tap(f"{name}.embed", stack.embed_tokens, view=lambda x: x * stack.embed_scale)
        yield Tap(f"{name}.pos_embed", stack.embed_positions)  # has no batch axis


def sinusoids(shape: torch.Size, dtype: torch.dtype) -> Tensor:
    """Sines in the first half of a row, cosines in the second. Vaswani 2017 §3.5, but not by turns."""
    positions, half = torch.arange(shape[0], dtype=torch.float64)[:, None], shape[1] // 2
    angles = positions / 10000 ** (2 * torch.arange(half).double() / shape[1])
    return torch.cat((angles.sin(), angles.cos()), dim=1).to(dtype)


def marian_draw(name: str, shape: torch.Size, source: torch.Generator, dtype: torch.dtype) -> Tensor:
    """Uneven attention and little of the source, else a tied head says one token for ever."""
    if "embed_positions" in name:
        return sinusoids(shape, dtype)
    weight = draw(name, shape, source, dtype)
    scales = {"shared.weight": 1.2, "embed_tokens.weight": 0.6, "encoder_attn.out_proj.weight": 0.4}
    scales |= {"q_proj.weight": 2, "k_proj.weight": 2}
    return next((scale for end, scale in scales.items() if name.endswith(end)), 1) * weight


def with_positions(folder: Path, model: nn.Module) -> None:
    """The position tables in the file."""
    path, weights = folder / "model.safetensors", model.state_dict()
    names = [f"model.{stack}.embed_positions.weight" for stack in ("encoder", "decoder")]
    save_file({**load_file(path), **{name: weights[name] for name in names}}, path, metadata={"format": "pt"})


FINISH = Finish(MarianParts, PROMPTS, CONFIG["pad_token_id"], "model.decoder.layers.1.encoder_attn.v_proj.weight")


def finish(variant: Variant, folder: Path) -> None:
    path = folder / "config.json"
    write_json(path, {**json.loads(path.read_text()), "forced_eos_token_id": None})
    if variant.layout == "positions":
        with_positions(folder, load(MarianMTModel, folder))
    FINISH(load(MarianMTModel, folder), variant, folder)


def marian(name: str, purpose: str, config: dict[str, Any] | None = None, **rest: Any) -> Variant:
    width = {} if rest.get("sites") else SMALL
    return Variant(f"marian-{name}", "marian", purpose, {**CONFIG, **width, **(config or {})}, **rest)


APART = {"share_encoder_decoder_embeddings": False, "decoder_vocab_size": VOCAB_SIZE}

VARIANTS: tuple[Variant, ...] = (
    marian("default", "OPUS-MT as it is: swish, scaled embeddings", sites=True),
    marian("unscaled", "scale_embedding false", {"scale_embedding": False}),
    marian("relu", "activation_function relu", {"activation_function": "relu"}),
    marian("apart", "two embeddings, and a head tied to the second", APART),
    marian("untied", "a head of its own, lm_head.weight", {"tie_word_embeddings": False}),
    marian("deep-decoder", "more decoder layers than encoder layers", {"decoder_layers": 3}),
    marian("positions", "the position tables in the file, as in old ones", layout="positions"),
)

FAMILY = Family(
    "marian",
    MarianConfig,
    MarianMTModel,
    VARIANTS,
    MarianParts,
    prompts=PROMPTS,
    capture=forward,
    generation=Generation({"source": [11, 3, 50, 28, 36], "target": [START]}, 20, greedy, generate),
    draw=marian_draw,
    finish=finish,
)
