"""
DistilBERT: BERT without token types and pooler, its fields and tensors under other names.

What a reader of its files must know:

- Fields are `dim`, `n_heads`, `n_layers`, `hidden_dim`, `activation`; the epsilon of all LayerNorms is 1e-12, and no
  field says so.
- The position table is always in the file, and the file's counts: `sinusoidal_pos_embds` only says how the table of a
  new model is made. In `distilbert-sinusoidal` it is true, and the table is random all the same.
- `activation` is also that of the masked-LM head (`vocab_transform`, `vocab_layer_norm`, `vocab_projector`); a
  classifier's head (`pre_classifier`, `classifier`) is always ReLU.
- The head's matrix is the word embedding where `tie_word_embeddings`, and then `vocab_projector.weight` may be missing
  from the file; its bias, `vocab_projector.bias`, never is.
- The scores are of queries divided by the root of the head's width before the product; `attn.q` is before the division.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from encoder_only import PROMPTS, EncoderParts, Finish, draw_lower, flat, forward, load
from family import VOCAB_SIZE, Family, Variant
from parts import Tap
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import DistilBertConfig, DistilBertForMaskedLM, DistilBertForSequenceClassification

CONFIG: dict[str, Any] = {
    "vocab_size": VOCAB_SIZE,
    "max_position_embeddings": 20,
    "dim": 24,
    "n_layers": 2,
    "n_heads": 4,
    "hidden_dim": 36,
    "pad_token_id": 0,
}
TWO_LABELS = {"id2label": {0: "NEGATIVE", 1: "POSITIVE"}, "label2id": {"NEGATIVE": 0, "POSITIVE": 1}}
THREE_LABELS = {"id2label": {0: "sad", 1: "calm", 2: "glad"}, "label2id": {"sad": 0, "calm": 1, "glad": 2}}


class DistilBertParts(EncoderParts):
    def stack(self) -> nn.ModuleList:
        return self.base.transformer.layer

    def head_taps(self) -> Iterator[Tap]:
        if hasattr(self.model, "classifier"):
            yield Tap("head.pre", self.model.pre_classifier, view=flat)
            yield Tap("head.post", self.model.classifier, "in", flat)
        else:
            yield Tap("head.pre", self.model.vocab_transform)
            yield Tap("head.post", self.model.vocab_layer_norm, "in")
            yield Tap("head.ln.normalized", self.model.vocab_layer_norm)

    def stream_norms(self, layer: int) -> tuple[tuple[str, nn.Module], tuple[str, nn.Module]]:
        block = self.layers[layer]
        return ("resid_mid", block.sa_layer_norm), ("resid_post", block.output_layer_norm)

    def projections(self, layer: int) -> dict[str, nn.Module]:
        return {part: getattr(self.layers[layer].attention, f"{part}_lin") for part in "qkv"}

    def attention_out(self, layer: int) -> nn.Module:
        return self.layers[layer].attention.out_lin

    def mlp_in(self, layer: int) -> nn.Module:
        return self.layers[layer].ffn.lin1

    def mlp_out(self, layer: int) -> nn.Module:
        return self.layers[layer].ffn.lin2


def distilbert(name: str, purpose: str, config: dict[str, Any] | None = None, **rest: Any) -> Variant:
    return Variant(f"distilbert-{name}", "distilbert", purpose, {**CONFIG, **(config or {})}, **rest)


def classifier(name: str, purpose: str, config: dict[str, Any], **rest: Any) -> Variant:
    return distilbert(name, purpose, config, model_class=DistilBertForSequenceClassification, **rest)


def with_copy(path: Path) -> None:
    """The head's matrix in the file, too."""
    tensors = load_file(path)
    tensors["vocab_projector.weight"] = tensors["distilbert.embeddings.word_embeddings.weight"].clone()
    save_file(tensors, path, metadata={"format": "pt"})


FINISH = Finish(DistilBertParts, CONFIG["pad_token_id"], "distilbert.transformer.layer.1.ffn.lin1.weight")


def finish(variant: Variant, folder: Path) -> None:
    if variant.layout == "copies":
        with_copy(folder / "model.safetensors")
    FINISH(load(variant.model_class or DistilBertForMaskedLM, folder), variant, folder)


VARIANTS: tuple[Variant, ...] = (
    distilbert("masked", "a masked LM as it is: erf GELU, tied head", sites=True),
    distilbert("relu", "activation relu, in the head too", {"activation": "relu"}),
    distilbert("sinusoidal", "sinusoidal_pos_embds true, which no reader need heed", {"sinusoidal_pos_embds": True}),
    distilbert("untied", "a head of its own, vocab_projector.weight", {"tie_word_embeddings": False}),
    distilbert("copies", "the tied matrix in the file under both names", layout="copies"),
    classifier("two-labels", "a classifier with 2 labels, and ReLU in its head", TWO_LABELS, sites=True),
    classifier("three-labels", "a classifier with 3 labels", {**THREE_LABELS, "n_layers": 3}),
)

FAMILY = Family(
    "distilbert",
    DistilBertConfig,
    DistilBertForMaskedLM,
    VARIANTS,
    DistilBertParts,
    prompts=PROMPTS,
    capture=forward,
    generation=None,
    draw=draw_lower,
    finish=finish,
)
