"""What `generate.py` needs to know of a family: its variants, and how a model of it is drawn, run and looked into."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from capture import Sites, forward, generate, greedy
from parts import Parts
from torch import Tensor, nn

VOCAB_SIZE = 61
PROMPTS: Mapping[str, Any] = {"short": [17], "long": [5, 42, 9, 9, 31, 0, 58, 23, 42, 12, 7]}


@dataclass(frozen=True)
class Variant:
    """One model: what its config says, and how its files are laid out."""

    name: str
    family: str
    purpose: str
    config: dict[str, Any] = field(default_factory=dict)
    #: the first seed that is tried
    seed: int = 1
    #: dtype of the numbers in the file; the golden numbers are always computed in float32
    dtype: str = "float32"
    #: `plain`, `sharded`, `v5-config` (as transformers 5 writes config.json), or what the family's `finish` knows
    layout: str = "plain"
    #: has a tokenizer.json with one word a token, so that edits that name tokens can be tried
    tokenizer: bool = False
    #: also stores every site of the long prompt that can be seen from outside
    sites: bool = False
    #: also stores the interventions of interventions.py
    edits: bool = False
    #: where it is not the family's: BertForMaskedLM
    model_class: type | None = None
    #: where they are not the family's
    prompts: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Generation:
    """Greedy generation, by the model's own forward and by `model.generate`; the two must give the same ids."""

    prompt: Any = (11, 3, 50, 28, 36)
    steps: int = 20
    #: (model, prompt, steps, *, cache) -> ids, and the logits each was chosen from [step, vocab]
    greedy: Callable[..., tuple[list[int], Tensor]] = greedy
    #: (model, prompt, steps) -> ids
    generate: Callable[[nn.Module, Any, int], list[int]] = generate


def draw(name: str, shape: torch.Size, source: torch.Generator, dtype: torch.dtype) -> Tensor:
    """Random weights large enough that attention is uneven, activations bend and no logits are near each other."""
    noise = torch.randn(shape, generator=source, dtype=dtype)
    is_norm = "ln_" in name or "norm" in name
    if is_norm and name.endswith("weight"):
        return 1 + 0.2 * noise
    if name.endswith("bias"):
        return 0.2 * noise
    return (0.5 if "wte" in name or "embed" in name else 0.25) * noise


def unfinished(_variant: Variant, _folder: Path) -> None:
    """Leaves the folder as transformers saved it."""


def always(_sites: Sites) -> bool:
    return True


@dataclass(frozen=True)
class Family:
    """All defaults are those of a decoder that generates."""

    #: `model_type` of its configs
    name: str
    config_class: type
    model_class: type
    variants: tuple[Variant, ...]
    #: where the modules are that sites stand for
    parts: type[Parts] = Parts
    #: prompts by name, in whatever form `capture` takes; `long` is the one of which all sites are stored
    prompts: Mapping[str, Any] = field(default_factory=lambda: PROMPTS)
    #: (model, prompt) -> what transformers itself returns, named as sites, without the batch axis
    capture: Callable[[nn.Module, Any], Sites] = forward
    #: whether what a run gave can be compared: experts are not chosen by a hair, say
    is_clear: Callable[[Sites], bool] = always
    #: None: it does not generate
    generation: Generation | None = field(default_factory=Generation)
    #: (name of a parameter, shape, source, dtype) -> random weights
    draw: Callable[[str, torch.Size, torch.Generator, torch.dtype], Tensor] = draw
    #: changes the files of a folder after transformers has saved them, for a `layout` or an older config
    finish: Callable[[Variant, Path], None] = unfinished
