"""
Models that read a whole text at once: BERT and its kin.

They norm after each sublayer, so `resid_mid` and `resid_post` are outputs of LayerNorms, and the sums that those read
are `resid_mid_raw` and `resid_post_raw`. Every id given is attended to, padding ids too: who wants them unseen says so
in an attention mask, and here only the check of batches does.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
import transformers
from capture import LEAST_GAP, Sites, narrowest_gap
from family import VOCAB_SIZE, Variant, draw
from files import write_json, write_tokenizer
from parts import AttentionTap, Parts, Tap
from site_edits import Entry, Scene, drop_head, put, scaled, skip_layer, swap_layers, weight_row, write_edits
from torch import Tensor, nn

MASK_ID = 4
PROMPTS = {"short": [17], "long": [2, 42, 9, MASK_ID, 31, 0, 58, MASK_ID, 42, 12, 3]}
#: A row of a padded batch may differ from the same prompt alone by rounding.
BATCH_TOLERANCE = 1e-5


def forward(model: nn.Module, ids: list[int]) -> Sites:
    """Logits ([position, vocab] or [label]), hidden states and attentions as transformers gives them."""
    out = run(model, [ids])
    layers = len(out.attentions)
    sites = {f"blocks.{i}.resid_pre": out.hidden_states[i][0] for i in range(layers)}
    sites[f"blocks.{layers - 1}.resid_post"] = out.hidden_states[layers][0]
    sites |= {f"blocks.{i}.attn.pattern": a[0] for i, a in enumerate(out.attentions)}
    sites["logits"] = out.logits[0]
    return sites


def draw_lower(name: str, shape: torch.Size, source: torch.Generator, dtype: torch.dtype) -> Tensor:
    """BERT writes LayerNorm where others write norm."""
    return draw(name.lower(), shape, source, dtype)


def run(model: nn.Module, rows: list[list[int]], pad: int = 0) -> transformers.utils.ModelOutput:
    """One run of prompts of any lengths, the shorter ones padded at the end and the padding masked."""
    longest = max(map(len, rows))
    padded = [row + [pad] * (longest - len(row)) for row in rows]
    mask = [[1] * len(row) + [0] * (longest - len(row)) for row in rows]
    return model(
        input_ids=torch.tensor(padded),
        attention_mask=torch.tensor(mask),
        output_hidden_states=True,
        output_attentions=True,
    )


class EncoderParts(Parts):
    """The module names of BERT and RoBERTa."""

    rotary = False

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.config = model.config
        self.base = model.base_model
        self.heads = self.config.num_attention_heads
        self.head_dim = self.config.hidden_size // self.heads
        self.layers = list(self.stack())

    def stack(self) -> nn.ModuleList:
        return self.base.encoder.layer

    def outer_taps(self) -> Iterator[Tap]:
        embeddings = self.base.embeddings
        yield Tap("embed", embeddings.word_embeddings)
        yield Tap("pos_embed", embeddings.position_embeddings)
        if hasattr(embeddings, "token_type_embeddings"):
            yield Tap("type_embed", embeddings.token_type_embeddings)
        yield Tap("ln_embed", embeddings.LayerNorm)
        yield from self.head_taps()

    def head_taps(self) -> Iterator[Tap]:
        """`head.*` and `pooled`."""
        raise NotImplementedError

    def stream_taps(self, layer: int, name: str) -> Iterator[Tap]:
        yield Tap(f"{name}.resid_pre", self.layers[layer], "in")
        for norm, (site, module) in zip(("ln1", "ln2"), self.stream_norms(layer), strict=True):
            yield Tap(f"{name}.{site}_raw", module, "in")
            yield Tap(f"{name}.{norm}.normalized", module)
            yield Tap(f"{name}.{site}", module)

    def stream_norms(self, layer: int) -> tuple[tuple[str, nn.Module], tuple[str, nn.Module]]:
        block = self.layers[layer]
        return ("resid_mid", block.attention.output.LayerNorm), ("resid_post", block.output.LayerNorm)

    def projections(self, layer: int) -> dict[str, nn.Module]:
        attention = self.layers[layer].attention
        return {"q": attention.self.query, "k": attention.self.key, "v": attention.self.value}

    def attention_out(self, layer: int) -> nn.Module:
        return self.layers[layer].attention.output.dense

    def mlp_in(self, layer: int) -> nn.Module:
        return self.layers[layer].intermediate.dense

    def mlp_out(self, layer: int) -> nn.Module:
        return self.layers[layer].output.dense

    def attention_taps(self, layer: int, name: str) -> Iterator[Tap]:
        for part, module in self.projections(layer).items():
            yield Tap(f"{name}.attn.{part}", module, view=self.by_head)
        yield Tap(f"{name}.attn.z", self.attention_out(layer), "in", self.by_head)
        yield Tap(f"{name}.attn_out", self.attention_out(layer))

    def mlp_taps(self, layer: int, name: str) -> Iterator[Tap]:
        yield Tap(f"{name}.mlp.pre", self.mlp_in(layer))
        yield Tap(f"{name}.mlp.post", self.mlp_out(layer), "in")
        yield Tap(f"{name}.mlp_out", self.mlp_out(layer))

    def attentions(self) -> Iterator[AttentionTap]:
        """None: `scores` are left to tests of their own."""
        return iter(())


def flat(x: Tensor) -> Tensor:
    """What a classifier has of the first position: [model], whether or not the batch axis is gone."""
    return x.flatten()


def masks_at(ids: list[int]) -> list[int]:
    return [i for i, token in enumerate(ids) if token == MASK_ID]


def check_decided(model: nn.Module, prompts: Iterable[list[int]]) -> None:
    """No near ties: of tokens at each mask, or of labels."""
    for ids in prompts:
        logits = forward(model, ids)["logits"]
        rows = logits[None] if logits.dim() == 1 else logits[masks_at(ids)]
        assert not len(rows) or narrowest_gap(rows) > LEAST_GAP, f"a near tie: {narrowest_gap(rows)}"


def check_batch(model: nn.Module, prompts: list[list[int]], pad: int) -> None:
    """Each row of a padded batch has the logits of its prompt alone."""
    together = run(model, prompts, pad).logits
    for ids, row in zip(prompts, together, strict=True):
        alone = forward(model, ids)["logits"]
        row = row if alone.dim() == 1 else row[: len(ids)]
        assert float((row - alone).abs().max()) < BATCH_TOLERANCE, "a padded batch differs"


def write_words(folder: Path) -> None:
    """tokenizer.json of one word a token, with the mask by its name."""
    path = folder / "tokenizer.json"
    write_tokenizer(path, VOCAB_SIZE)
    tokenizer = json.loads(path.read_text())
    vocab = {("[MASK]" if i == MASK_ID else word): i for word, i in tokenizer["model"]["vocab"].items()}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    tokenizer["added_tokens"] = [{"id": MASK_ID, "content": "[MASK]", **flags}]
    tokenizer["model"]["vocab"] = vocab
    write_json(path, tokenizer)


def words(ids: list[int]) -> str:
    return " ".join("[MASK]" if i == MASK_ID else f"t{i}" for i in ids)


def entries(mlp_in_weight: str, *, masked: bool) -> list[Entry]:
    """One line each; heads, neurons, stream before and after a norm, layers, and a weight."""
    every = slice(None)
    own = [Entry("set-head-post", put("head.post", "[position=3, model=2]", (every, 3, 2), 4.0))] if masked else []
    return [
        Entry("zero-head", put("blocks.0.attn.z", "[head=1]", (..., 1, every), 0)),
        Entry("drop-head", drop_head("1.0", "blocks.1.attn.z", 0)),
        Entry("set-neuron", put("blocks.0.mlp.post", "[position=0, neuron=5]", (every, 0, 5), 3.0)),
        Entry("scale-attn-out", scaled("blocks.0.attn_out", "", (), 0.5)),
        Entry("scale-resid-mid", scaled("blocks.0.resid_mid", "", (), 0.5)),
        Entry("set-resid-mid-raw", put("blocks.1.resid_mid_raw", "[position=0, model=3]", (every, 0, 3), 4.0)),
        Entry("set-resid-post-raw", put("blocks.0.resid_post_raw", "[position=-1, model=7]", (every, -1, 7), -4.0)),
        Entry("scale-embedding", scaled("ln_embed", "[position=4]", (every, 4), 2.0)),
        Entry("skip-layer", skip_layer("1", "blocks.1")),
        Entry("swap-layers", swap_layers(0, 1)),
        Entry("weight-row", weight_row(mlp_in_weight, 5, -3.0)),
        *own,
    ]


class EncoderScene(Scene):
    def run(self, prompt: list[int]) -> Tensor:
        return run(self.model, [prompt]).logits[0]

    def swap(self, one: int, other: int) -> None:
        stack = self.parts.stack()
        stack[one], stack[other] = stack[other], stack[one]

    def block(self, name: str) -> nn.Module:
        return self.parts.layers[int(name.removeprefix("blocks."))]


def load(model_class: type, folder: Path) -> nn.Module:
    """The model as transformers reads it back, and so what another reader must find in the files."""
    return model_class.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


@dataclass(frozen=True)
class Finish:
    """Checks what the numbers must hold, and writes the interventions of the variants that have all sites."""

    parts: type[Parts]
    pad: int
    #: the first matrix of the MLP of layer 1, as the file names it
    mlp_in: str
    prompts: Mapping[str, list[int]] = field(default_factory=lambda: PROMPTS)

    def __call__(self, model: nn.Module, variant: Variant, folder: Path) -> None:
        prompts = list((variant.prompts or self.prompts).values())
        check_decided(model, prompts)
        check_batch(model, prompts, self.pad)
        if variant.sites:
            write_words(folder)
            chosen = entries(self.mlp_in, masked="MaskedLM" in type(model).__name__)
            texts = {"prompt": words(PROMPTS["long"])}
            write_edits(folder, lambda: EncoderScene(copy.deepcopy(model), self.parts), chosen, PROMPTS["long"], texts)
