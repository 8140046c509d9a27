"""
Interventions on models that are described by taps alone, beside the same ones in Cutaway's edit language: a hook at
the module that makes a site, or at the one that reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from capture import first, narrowest_gap
from files import write_json
from parts import Parts, Tap
from safetensors.torch import save_file
from torch import Tensor, nn

#: An intervention must move some logit by this much, else it would show nothing.
LEAST_EFFECT = 1e-2
#: The best token must beat the second by this much at each edited greedy step; rounding is a hundredth of it.
LEAST_GAP = 1e-3
#: Changes a value in place; the batch axis comes first.
Change = Callable[[Tensor], object]


class Scene:
    """A copy of a model under intervention. A subclass says how it runs; whoever generates sets `step`."""

    def __init__(self, model: nn.Module, parts: type[Parts]) -> None:
        self.model = model
        self.parts = parts(model)
        self.taps: dict[str, Tap] = {tap.site: tap for tap in self.parts.taps()}
        self.step = 0

    def run(self, prompt: Any) -> Tensor:
        """Logits of the prompt, without the batch axis."""
        raise NotImplementedError

    def generate(self, prompt: Any, steps: int) -> tuple[list[int], Tensor]:
        """Greedy ids, and the logits each was chosen from [step, vocab]."""
        raise NotImplementedError

    def block(self, name: str) -> nn.Module:
        raise NotImplementedError

    def swap(self, one: int, other: int) -> None:
        raise NotImplementedError

    def change(self, site: str, change: Change, since: int) -> None:
        """Hooks a change to the tap of a site, from a step on."""
        tap = self.taps[site]

        def changed(value: Tensor) -> Tensor:
            copied = value.clone().contiguous()
            change(tap.view(copied))
            return copied

        def before(_module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
            return (changed(inputs[0]), *inputs[1:]) if self.step >= since else None

        def after(_module: nn.Module, _inputs: tuple, output: Tensor | tuple) -> Tensor | tuple | None:
            if self.step < since:
                return None
            value = changed(first(output))
            return (value, *output[1:]) if isinstance(output, tuple) else value

        if tap.side == "in":
            tap.module.register_forward_pre_hook(before)
        else:
            tap.module.register_forward_hook(after)

    def skip(self, block: str) -> None:
        """
        The block gives back what it is given. It still runs, and its other outputs are kept: those of T5's block 0 have
        the position bias that the whole stack adds.
        """

        def after(_module: nn.Module, inputs: tuple, output: Tensor | tuple) -> Tensor | tuple:
            if not isinstance(output, tuple):
                return inputs[0]
            shape = inputs[0].shape
            return tuple(inputs[0] if isinstance(x, Tensor) and x.shape == shape else x for x in output)

        self.block(block).register_forward_hook(after)


@dataclass(frozen=True)
class Edit:
    """One line of the edit language, and what it means in PyTorch."""

    text: str
    act: Callable[[Scene], object]


@dataclass(frozen=True)
class Entry:
    name: str
    edit: Edit
    #: greedy generation of this many tokens with a cache; 0: the prompt alone
    generate: int = 0
    more: Sequence[Edit] = field(default_factory=tuple)

    @property
    def edits(self) -> list[Edit]:
        return [self.edit, *self.more]


def put(site: str, selector: str, where: tuple, number: float) -> Edit:
    text = f"set {site}{selector} = {number or 'zero'}"
    return Edit(text, lambda scene: scene.change(site, lambda x: x.__setitem__(where, number), 0))


def scaled(site: str, selector: str, where: tuple, factor: float, since: int = 0) -> Edit:
    text = f"scale {site}{selector} by {factor}" + (f" from step {since}" if since else "")
    return Edit(text, lambda scene: scene.change(site, lambda x: x.__setitem__(where, x[where] * factor), since))


def drop_head(head: str, site: str, index: int) -> Edit:
    where = (..., index, slice(None))
    return Edit(f"drop head {head}", lambda scene: scene.change(site, lambda x: x.__setitem__(where, 0), 0))


def skip_layer(layer: str, block: str) -> Edit:
    return Edit(f"skip layer {layer}", lambda scene: scene.skip(block))


def swap_layers(one: int, other: int) -> Edit:
    return Edit(f"swap layers {one} {other}", lambda scene: scene.swap(one, other))


def weight_row(name: str, row: int, factor: float) -> Edit:
    """Scales an output row of a matrix that the file has as [out, in]."""

    def act(scene: Scene) -> None:
        scene.model.get_parameter(name).data[row] *= factor

    return Edit(f"weight {name}[out={row}] *= {factor}", act)


def outcome(scene: Scene, entry: Entry, prompt: Any) -> tuple[list[int], Tensor]:
    if entry.generate:
        return scene.generate(prompt, entry.generate)
    return [], scene.run(prompt)


def write_edits(folder: Path, make: Callable[[], Scene], entries: list[Entry], prompt: Any, texts: dict) -> None:
    """Writes edits.json and edits.safetensors beside the model."""
    tensors, rows = {}, []
    for entry in entries:
        scene = make()
        for edit in entry.edits:
            edit.act(scene)
        ids, logits = outcome(scene, entry, prompt)
        _, clean = outcome(make(), entry, prompt)
        effect = float((logits - clean).abs().max())
        assert effect > LEAST_EFFECT, f"{folder.name}: {entry.name} has no effect"
        assert not ids or narrowest_gap(logits) > LEAST_GAP, f"{folder.name}: {entry.name} meets a near tie"
        tensors[f"{entry.name}.logits"] = logits.contiguous()
        row = {"name": entry.name, "edits": [e.text for e in entry.edits], "promptIds": prompt}
        row |= {"logits": f"{entry.name}.logits", "effect": effect}
        rows.append({**row, "generated": ids} if ids else row)
    assert len(tensors) == len(rows)
    save_file(tensors, folder / "edits.safetensors")
    write_json(folder / "edits.json", {**texts, "entries": rows})
