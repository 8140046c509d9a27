"""
RoBERTa: BERT's blocks, positions that count from the padding id, and heads of its own.

What a reader of its files must know:

- The first position is row `pad_token_id + 1` of the position table; a padding id in the prompt has row `pad_token_id`,
  whatever its place, and is not counted: the ids after it have the rows they would have without it. It is attended to
  all the same, unless a mask says otherwise. So `max_position_embeddings` 514 is 512 positions and 2 rows more.
- The activation of the masked-LM head is the erf GELU, whatever `hidden_act` says; a classifier's is tanh.
- The head's bias is `lm_head.bias`; files may hold it again as `lm_head.decoder.bias`, and the word embedding as
  `lm_head.decoder.weight`. An untied head's matrix is `lm_head.decoder.weight`.
- The first uploads hold `roberta.pooler.*` and int64 `roberta.embeddings.position_ids`, which a masked LM does not use.
- A config of two labels without names has neither `id2label` nor `num_labels`.
- The table of token types has one row, which is added everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from encoder_only import MASK_ID, EncoderParts, Finish, draw_lower, flat, forward, load
from encoder_only import PROMPTS as COMMON_PROMPTS
from family import VOCAB_SIZE, Family, Variant
from parts import Tap
from safetensors.torch import load_file, save_file
from transformers import RobertaConfig, RobertaForMaskedLM, RobertaForSequenceClassification



def prompts_with(pad: int) -> dict[str, list[int]]:
    return {**COMMON_PROMPTS, "pads": [0, 42, pad, 9, MASK_ID, pad, pad, 31, 2]}


PROMPTS = prompts_with(1)
CONFIG: dict[str, Any] = {
    "vocab_size": VOCAB_SIZE,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 36,
    "max_position_embeddings": 20,
    "type_vocab_size": 1,
    "layer_norm_eps": 1e-5,
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
}
THREE_LABELS = {"id2label": {0: "sad", 1: "calm", 2: "glad"}, "label2id": {"sad": 0, "calm": 1, "glad": 2}}


class RobertaParts(EncoderParts):
    def head_taps(self) -> Iterator[Tap]:
        if hasattr(self.model, "classifier"):
            yield Tap("head.pre", self.model.classifier.dense, view=flat)
            yield Tap("head.post", self.model.classifier.out_proj, "in", flat)
        else:
            yield Tap("head.pre", self.model.lm_head.dense)
            yield Tap("head.post", self.model.lm_head.layer_norm, "in")
            yield Tap("head.ln.normalized", self.model.lm_head.layer_norm)


def roberta(name: str, purpose: str, config: dict[str, Any] | None = None, **rest: Any) -> Variant:
    return Variant(f"roberta-{name}", "roberta", purpose, {**CONFIG, **(config or {})}, **rest)


def classifier(name: str, purpose: str, labels: dict[str, Any], **rest: Any) -> Variant:
    return roberta(name, purpose, labels, model_class=RobertaForSequenceClassification, **rest)


def as_first_uploaded(path: Path) -> None:
    """The head's matrix and bias under both names, and the left-overs of roberta-base."""
    tensors, width = load_file(path), CONFIG["hidden_size"]
    source = torch.Generator().manual_seed(99)
    tensors |= {
        "lm_head.decoder.weight": tensors["roberta.embeddings.word_embeddings.weight"].clone(),
        "lm_head.decoder.bias": tensors["lm_head.bias"].clone(),
        "roberta.embeddings.position_ids": torch.arange(CONFIG["max_position_embeddings"])[None],
        "roberta.pooler.dense.weight": torch.randn(width, width, generator=source),
        "roberta.pooler.dense.bias": torch.randn(width, generator=source),
    }
    save_file(tensors, path, metadata={"format": "pt"})


def finish(variant: Variant, folder: Path) -> None:
    if variant.layout == "first-upload":
        as_first_uploaded(folder / "model.safetensors")
    weight = "roberta.encoder.layer.1.intermediate.dense.weight"
    check = Finish(RobertaParts, variant.config["pad_token_id"], weight, PROMPTS)
    check(load(variant.model_class or RobertaForMaskedLM, folder), variant, folder)


VARIANTS: tuple[Variant, ...] = (
    roberta("masked", "a masked LM as it is: erf GELU, tied head", sites=True),
    roberta("relu", "hidden_act relu, but not in the head", {"hidden_act": "relu"}),
    roberta(
        "padding",
        "a pad_token_id that is not 1: positions begin at row 9",
        {"pad_token_id": 8},
        prompts=prompts_with(8),
    ),
    roberta("untied", "a head of its own, lm_head.decoder.weight", {"tie_word_embeddings": False}),
    roberta("first-upload", "a head under two names, a pooler, position ids", layout="first-upload"),
    classifier("two-labels", "a classifier with 2 labels that have no names", {"num_labels": 2}),
    classifier("three-labels", "a classifier with 3 labels", THREE_LABELS, sites=True),
)

FAMILY = Family(
    "roberta",
    RobertaConfig,
    RobertaForMaskedLM,
    VARIANTS,
    RobertaParts,
    prompts=PROMPTS,
    capture=forward,
    generation=None,
    draw=draw_lower,
    finish=finish,
)
