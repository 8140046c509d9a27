"""
Models that read a source and write a target: T5, BART and Marian.

A prompt is `{"source": ids, "target": ids}`, the target beginning with the id that starts every one. Sites stand under
`encoder.` and `decoder.`. Every id given is attended to, padding ids too; only the check of batches masks any.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers
from capture import Sites
from family import VOCAB_SIZE, Variant
from files import write_tokenizer
from parts import AttentionTap, Parts, Tap, View
from site_edits import Entry, Scene, drop_head, put, scaled, skip_layer, weight_row, write_edits
from torch import Tensor, nn
from transformers import DynamicCache, EncoderDecoderCache

Prompt = dict[str, list[int]]
GENERATED = 8
#: A row of a padded batch may differ from the same prompt alone by rounding.
BATCH_TOLERANCE = 1e-5


def prompts_from(start: int) -> dict[str, Prompt]:
    """The prompts of a family whose targets begin with `start`."""
    return {
        "short": {"source": [17], "target": [start]},
        "long": {"source": [5, 42, 9, 9, 31, 0, 58, 23, 42, 12, 7], "target": [start, 33, 8, 8, 50, 21, 3]},
    }


def run(model: nn.Module, prompts: list[Prompt], pad: int = 0) -> transformers.utils.ModelOutput:
    """One run of prompts of any lengths, the shorter ones padded at the end and the padding masked."""
    source, source_mask = padded([p["source"] for p in prompts], pad)
    target, target_mask = padded([p["target"] for p in prompts], pad)
    return model(
        input_ids=source,
        attention_mask=source_mask,
        decoder_input_ids=target,
        decoder_attention_mask=target_mask,
        use_cache=False,
        output_hidden_states=True,
        output_attentions=True,
    )


def padded(rows: list[list[int]], pad: int) -> tuple[Tensor, Tensor]:
    longest = max(map(len, rows))
    ids = [row + [pad] * (longest - len(row)) for row in rows]
    mask = [[1] * len(row) + [0] * (longest - len(row)) for row in rows]
    return torch.tensor(ids), torch.tensor(mask)


def forward(model: nn.Module, prompt: Prompt, *, last: str | None = None) -> Sites:
    """
    Logits of all target positions, hidden states and attentions as transformers gives them. `last` is the site that
    the last hidden state of a stack is, where it is not the output of its last block.
    """
    out = run(model, [prompt])
    sites = {"logits": out.logits[0]}
    stacks = {
        "encoder": (out.encoder_hidden_states, out.encoder_attentions),
        "decoder": (out.decoder_hidden_states, out.decoder_attentions),
    }
    for stack, (hidden, patterns) in stacks.items():
        layers = len(patterns)
        sites |= {f"{stack}.blocks.{i}.resid_pre": hidden[i][0] for i in range(layers)}
        sites[f"{stack}.{last or f'blocks.{layers - 1}.resid_post'}"] = hidden[layers][0]
        sites |= {f"{stack}.blocks.{i}.attn.pattern": a[0] for i, a in enumerate(patterns)}
    sites |= {f"decoder.blocks.{i}.cross_attn.pattern": a[0] for i, a in enumerate(out.cross_attentions)}
    return sites


def greedy(
    model: nn.Module, prompt: Prompt, steps: int, *, cache: bool = True, each: Callable[[int], Any] = lambda _: None
) -> tuple[list[int], Tensor]:
    """
    Greedy generation by the model's own forward, EOS ignored; the encoder runs once. `forced_bos_token_id` is taken
    in place of the first choice. Returns the new ids, and the logits each was chosen from [step, vocab].
    """
    mask = torch.ones(1, len(prompt["source"]), dtype=torch.long)
    encoded = model.get_encoder()(input_ids=torch.tensor([prompt["source"]]), attention_mask=mask)
    ids, rows, past = list(prompt["target"]), [], None
    forced = model.generation_config.forced_bos_token_id
    for step in range(steps):
        each(step)
        out = model(
            encoder_outputs=encoded,
            attention_mask=mask,
            decoder_input_ids=torch.tensor([ids if past is None else ids[-1:]]),
            past_key_values=past,
            use_cache=cache,
        )
        past = out.past_key_values if cache else None
        rows.append(out.logits[0, -1])
        ids.append(int(rows[-1].argmax()) if len(ids) > 1 or forced is None else forced)
    return ids[len(prompt["target"]) :], torch.stack(rows)


def generate(model: nn.Module, prompt: Prompt, steps: int) -> list[int]:
    """Greedy generation by `model.generate`, EOS ignored."""
    source = torch.tensor([prompt["source"]])
    model.generation_config.eos_token_id = None  # an argument of None would fall back to the config's
    out = model.generate(
        source,
        attention_mask=torch.ones_like(source),  # else padding ids in the source would be masked
        decoder_input_ids=torch.tensor([prompt["target"]]),
        max_new_tokens=steps,
        do_sample=False,
        num_beams=1,
        # else the cache has as many layers as the encoder, and a deeper decoder of T5 fails
        past_key_values=EncoderDecoderCache(DynamicCache(), DynamicCache()),
        use_cache=True,
    )
    return out[0, len(prompt["target"]) :].tolist()


class StackedParts(Parts):
    """The module names of BART and Marian, which norm after each sublayer."""

    rotary = False

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.config = model.config
        self.stacks = {"encoder": model.get_encoder(), "decoder": model.get_decoder()}
        self.layers = [block for stack in self.stacks.values() for block in self.blocks_of(stack)]

    def blocks_of(self, stack: nn.Module) -> nn.ModuleList:
        return stack.layers

    def taps(self) -> Iterator[Tap]:
        for name, stack in self.stacks.items():
            yield from self.stack_taps(name, stack)
            for i, block in enumerate(self.blocks_of(stack)):
                yield from self.block_taps(f"{name}.blocks.{i}", block)

    def stack_taps(self, name: str, stack: nn.Module) -> Iterator[Tap]:
        yield Tap(f"{name}.embed", stack.embed_tokens)
        yield Tap(f"{name}.pos_embed", stack.embed_positions)
        if hasattr(stack, "layernorm_embedding"):
            yield Tap(f"{name}.ln_embed", stack.layernorm_embedding)

    def block_taps(self, name: str, block: nn.Module) -> Iterator[Tap]:
        yield Tap(f"{name}.resid_pre", block, "in")
        yield from self.sublayer_taps(name, block.self_attn, "attn")
        yield from norm_taps(name, "ln1", "resid_mid", block.self_attn_layer_norm)
        if hasattr(block, "encoder_attn"):
            yield from self.sublayer_taps(name, block.encoder_attn, "cross_attn")
            yield from norm_taps(name, "ln_cross", "resid_cross", block.encoder_attn_layer_norm)
        yield Tap(f"{name}.mlp.pre", block.fc1)
        yield Tap(f"{name}.mlp.post", block.fc2, "in")
        yield Tap(f"{name}.mlp_out", block.fc2)
        yield from norm_taps(name, "ln2", "resid_post", block.final_layer_norm)

    def sublayer_taps(self, name: str, attention: nn.Module, site: str) -> Iterator[Tap]:
        projections = {part: getattr(attention, f"{part}_proj") for part in "qkv"}
        yield from attention_taps(name, site, projections, attention.out_proj, heads(attention.num_heads))

    def attentions(self) -> Iterator[AttentionTap]:
        """None: `scores` are left to tests of their own."""
        return iter(())


def heads(count: int) -> View:
    """[position, head·headDim] -> [position, head, headDim]"""
    return lambda x: x.unflatten(-1, (count, -1))


def attention_taps(
    name: str, site: str, projections: dict[str, nn.Module], out: nn.Module, view: View
) -> Iterator[Tap]:
    """`attn.*` and `attn_out`, or `cross_attn.*` and `cross_attn_out`."""
    for part, module in projections.items():
        yield Tap(f"{name}.{site}.{part}", module, view=view)
    yield Tap(f"{name}.{site}.z", out, "in", view)
    yield Tap(f"{name}.{site}_out", out)


def norm_taps(name: str, norm: str, stream: str, module: nn.Module) -> Iterator[Tap]:
    """A LayerNorm that follows a sum, and makes the stream."""
    yield Tap(f"{name}.{stream}_raw", module, "in")
    yield Tap(f"{name}.{norm}.normalized", module)
    yield Tap(f"{name}.{stream}", module)


class StackedScene(Scene):
    def run(self, prompt: Prompt) -> Tensor:
        return run(self.model, [prompt]).logits[0]

    def generate(self, prompt: Prompt, steps: int) -> tuple[list[int], Tensor]:
        start = {**prompt, "target": prompt["target"][:1]}
        return greedy(self.model, start, steps, each=lambda step: setattr(self, "step", step))

    def block(self, name: str) -> nn.Module:
        stack, _, index = name.split(".")
        return self.parts.blocks_of(self.parts.stacks[stack])[int(index)]


def entries(weight: str, more: list[Entry]) -> list[Entry]:
    """Heads of the three kinds, neurons, what is added to the stream, layers of both stacks, a weight; and steps."""
    every = slice(None)
    cross_out = "decoder.blocks.1.cross_attn_out"
    cross_head = drop_head("decoder.cross.1.0", "decoder.blocks.1.cross_attn.z", 0)
    return [
        Entry("zero-encoder-head", put("encoder.blocks.0.attn.z", "[head=1]", (..., 1, every), 0)),
        Entry("drop-encoder-head", drop_head("encoder.1.0", "encoder.blocks.1.attn.z", 0)),
        Entry("drop-decoder-head", drop_head("decoder.1.1", "decoder.blocks.1.attn.z", 1)),
        Entry("drop-cross-head", cross_head),
        Entry("scale-cross-out", scaled(cross_out, "", (), 0.5)),
        Entry("scale-cross-key", scaled("decoder.blocks.0.cross_attn.k", "[source=3]", (every, 3), 2.0)),
        Entry("set-encoder-neuron", put("encoder.blocks.0.mlp.post", "[position=3, neuron=5]", (every, 3, 5), 3.0)),
        Entry("set-decoder-neuron", put("decoder.blocks.1.mlp.post", "[position=2, neuron=5]", (every, 2, 5), 3.0)),
        Entry("scale-resid-cross", scaled("decoder.blocks.0.resid_cross", "", (), 0.5)),
        Entry("scale-encoder-resid", scaled("encoder.blocks.0.resid_post", "[position=4]", (every, 4), 2.0)),
        Entry("skip-encoder-layer", skip_layer("encoder.1", "encoder.blocks.1")),
        Entry("skip-first-encoder-layer", skip_layer("encoder.0", "encoder.blocks.0")),
        Entry("skip-decoder-layer", skip_layer("decoder.0", "decoder.blocks.0")),
        Entry("weight-row", weight_row(weight, 5, -3.0)),
        *more,
        Entry("generate-cross-head-dropped", cross_head, GENERATED),
        Entry("generate-from-step", scaled(cross_out, "", (), -1.0, since=2), GENERATED),
        Entry("generate-decoder-layer-skipped", skip_layer("decoder.0", "decoder.blocks.0"), GENERATED),
    ]


def check_batch(model: nn.Module, prompts: list[Prompt], pad: int) -> None:
    """Each row of a batch padded in source and target has the logits of its prompt alone."""
    for prompt, row in zip(prompts, run(model, prompts, pad).logits, strict=True):
        alone = run(model, [prompt]).logits[0]
        assert float((row[: len(alone)] - alone).abs().max()) < BATCH_TOLERANCE, "a padded batch differs"


def words(ids: list[int]) -> str:
    return " ".join(f"t{i}" for i in ids)


def load(model_class: type, folder: Path) -> nn.Module:
    """The model as transformers reads it back, and so what another reader must find in the files."""
    return model_class.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


@dataclass(frozen=True)
class Finish:
    """Checks what the numbers must hold, and writes the interventions of the variants that have all sites."""

    parts: type[Parts]
    prompts: dict[str, Prompt]
    pad: int
    #: a matrix of the file, [out, in], that is scaled in a row
    weight: str
    more: list[Entry] = field(default_factory=list)

    def __call__(self, model: nn.Module, variant: Variant, folder: Path) -> None:
        check_batch(model, list(self.prompts.values()), self.pad)
        if variant.sites:
            write_tokenizer(folder / "tokenizer.json", VOCAB_SIZE)
            prompt = self.prompts["long"]
            texts = {"prompt": words(prompt["source"]), "target": words(prompt["target"])}
            scene = lambda: StackedScene(copy.deepcopy(model), self.parts)
            write_edits(folder, scene, entries(self.weight, self.more), prompt, texts)
