"""
BERT: learned positions, a LayerNorm after each sublayer, every position sees every other.

What a reader of its files must know:

- `hidden_act` is also the activation of the masked-LM head; the pooler is always tanh.
- The head's matrix is the word embedding, and its bias is `cls.predictions.bias`. Files may also hold these
  as `cls.predictions.decoder.weight` and `.bias`, and do where `tie_word_embeddings` is false.
- Every name but those of `cls.*` and `classifier.*` begins with `bert.`: transformers refuses a masked LM without the
  prefix as corrupted; only a base model, which has no head, is ever without.
- The first uploads say `gamma` and `beta` for `weight` and `bias` of LayerNorms, hold `bert.pooler.*` and
  `cls.seq_relationship.*` though the config says BertForMaskedLM, and int64 `bert.embeddings.position_ids`.
- Token types are all 0 where none are given: row 0 of the table is still added.
- `padding_idx` of the embeddings changes nothing here: the row of the file is used.
- A classifier's `logits` are [label], of the pooled first position.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from encoder_only import PROMPTS, EncoderParts, Finish, draw_lower, flat, forward, load
from family import VOCAB_SIZE, Family, Variant
from parts import Tap
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification

CONFIG: dict[str, Any] = {
    "vocab_size": VOCAB_SIZE,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 36,
    "max_position_embeddings": 20,
    "type_vocab_size": 2,
    "pad_token_id": 0,
}
TWO_LABELS = {"id2label": {0: "NEGATIVE", 1: "POSITIVE"}, "label2id": {"NEGATIVE": 0, "POSITIVE": 1}}
THREE_LABELS = {
    "id2label": {0: "contradiction", 1: "neutral", 2: "entailment"},
    "label2id": {"contradiction": 0, "neutral": 1, "entailment": 2},
}


class BertParts(EncoderParts):
    def head_taps(self) -> Iterator[Tap]:
        if self.base.pooler is not None:
            yield Tap("pooled", self.base.pooler, view=flat)
        else:
            transform = self.model.cls.predictions.transform
            yield Tap("head.pre", transform.dense)
            yield Tap("head.post", transform.LayerNorm, "in")
            yield Tap("head.ln.normalized", transform.LayerNorm)


def bert(name: str, purpose: str, config: dict[str, Any] | None = None, **rest: Any) -> Variant:
    return Variant(f"bert-{name}", "bert", purpose, {**CONFIG, **(config or {})}, **rest)


def classifier(name: str, purpose: str, labels: dict[str, Any], **rest: Any) -> Variant:
    return bert(name, purpose, labels, model_class=BertForSequenceClassification, **rest)


def as_first_uploaded(path: Path) -> None:
    """The names and the left-overs of bert-base-uncased."""
    tensors = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
        for name, tensor in load_file(path).items()
    }
    width = CONFIG["hidden_size"]
    source = torch.Generator().manual_seed(99)
    tensors |= {
        "bert.embeddings.position_ids": torch.arange(CONFIG["max_position_embeddings"])[None],
        "bert.pooler.dense.weight": torch.randn(width, width, generator=source),
        "bert.pooler.dense.bias": torch.randn(width, generator=source),
        "cls.seq_relationship.weight": torch.randn(2, width, generator=source),
        "cls.seq_relationship.bias": torch.randn(2, generator=source),
    }
    save_file(tensors, path, metadata={"format": "pt"})


def with_copies(path: Path) -> None:
    """The head's matrix and bias under their second names, too."""
    tensors = load_file(path)
    tensors["cls.predictions.decoder.weight"] = tensors["bert.embeddings.word_embeddings.weight"].clone()
    tensors["cls.predictions.decoder.bias"] = tensors["cls.predictions.bias"].clone()
    save_file(tensors, path, metadata={"format": "pt"})


LAYOUTS = {"first-upload": as_first_uploaded, "copies": with_copies}


FINISH = Finish(BertParts, CONFIG["pad_token_id"], "bert.encoder.layer.1.intermediate.dense.weight")


def finish(variant: Variant, folder: Path) -> None:
    if variant.layout in LAYOUTS:
        LAYOUTS[variant.layout](folder / "model.safetensors")
    FINISH(load(variant.model_class or BertForMaskedLM, folder), variant, folder)


VARIANTS: tuple[Variant, ...] = (
    bert("masked", "a masked LM as it is: erf GELU, tied head", sites=True),
    bert("relu", "hidden_act relu, in the head too", {"hidden_act": "relu"}),
    bert("gelu-new", "hidden_act gelu_new, in the head too", {"hidden_act": "gelu_new"}),
    bert("epsilon", "a layer_norm_eps that shows", {"layer_norm_eps": 0.05}),
    bert("untied", "a head of its own, cls.predictions.decoder.weight", {"tie_word_embeddings": False}),
    bert("copies", "the tied matrix and the bias in the file under both names", layout="copies"),
    bert("first-upload", "gamma and beta, a pooler and more that a masked LM does not use", layout="first-upload"),
    classifier("two-labels", "a classifier with 2 labels", TWO_LABELS, sites=True),
    classifier("three-labels", "a classifier with 3 labels", {**THREE_LABELS, "num_hidden_layers": 3}),
)

FAMILY = Family(
    "bert",
    BertConfig,
    BertForMaskedLM,
    VARIANTS,
    BertParts,
    prompts=PROMPTS,
    capture=forward,
    generation=None,
    draw=draw_lower,
    finish=finish,
)
