"""A copy of a model under intervention: plain PyTorch hooks and module surgery, nothing of Cutaway's own engine."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from capture import Sites, first, recorded
from families import FAMILIES
from torch import Tensor, nn

#: Changes a value in place; the batch axis comes first.
Change = Callable[[Tensor], object]
#: In which steps a change is made; step 0 is the prefill.
Steps = Callable[[int], bool]


def every_step(_step: int) -> bool:
    return True


class Scene:
    """The edited model. Whoever runs it sets `step` before each forward run."""

    def __init__(self, model: nn.Module) -> None:
        self.clean = model
        self.model = copy.deepcopy(model)
        self.family = FAMILIES[model.config.model_type]
        self.parts = self.family.parts(self.model)
        self.is_gpt2 = self.family.name == "gpt2"
        self.step = 0

    def unedited(self, ids: list[int]) -> Sites:
        """Every site of the untouched model on a prompt, without the batch axis."""
        model, sites = copy.deepcopy(self.clean), {}
        with recorded(self.family.parts(model), sites):
            return {**self.family.capture(model, ids), **sites}

    def change_site(self, site: str, change: Change, steps: Steps = every_step) -> None:
        """Hooks a change to the module that makes the value, or to the one that reads it."""

        def stepped(value: Tensor) -> None:
            if steps(self.step):
                change(value)

        block, _, name = site.removeprefix("blocks.").partition(".")
        if block.isdigit():
            self._change_in_block(int(block), name, stepped)
        else:
            outside = {
                "embed": self.parts.embedding,
                "ln_final.normalized": self.parts.final_norm,
                "logits": self.model.lm_head,
            }
            change_output(outside[site], stepped)

    def matrix(self, name: str) -> Tensor:
        """A weight as [out, in], whatever the layout of the file; writing to it writes to the model."""
        data = self.model.get_parameter(name).data
        is_conv1d = self.is_gpt2 and ".c_" in name and data.dim() == 2
        return data.T if is_conv1d else data

    def unit_difference(self, plus: int, minus: int) -> Tensor:
        """The direction between two rows of the unembedding, of length 1."""
        rows = self.clean.lm_head.weight
        difference = rows[plus] - rows[minus]
        return difference / difference.norm()

    def epsilon(self, value: float) -> None:
        for module in self.model.modules():
            if isinstance(module, nn.LayerNorm):
                module.eps = value
            elif hasattr(module, "variance_epsilon"):
                module.variance_epsilon = value

    def rope_theta(self, value: float) -> None:
        config = copy.deepcopy(self.model.config)
        config.rope_theta = value
        if getattr(config, "rope_parameters", None):
            config.rope_parameters["rope_theta"] = value  # transformers 5
        self.parts.base.rotary_emb = type(self.parts.base.rotary_emb)(config)

    def activation(self, function: nn.Module) -> None:
        for block in self.parts.layers:
            setattr(block.mlp, "act" if self.is_gpt2 else "act_fn", function)

    def _change_in_block(self, layer: int, name: str, change: Change) -> None:
        parts, attention = self.parts, self.parts.attention(layer)

        def by_head(value: Tensor) -> None:
            change(value.unflatten(-1, (-1, parts.head_dim)))

        match name:
            case "resid_pre":
                change_input(parts.layers[layer], change)
            case "resid_post":
                change_output(parts.layers[layer], change)
            case "ln1.normalized" | "ln2.normalized":
                change_output(parts.norms(layer)[int(name[2]) - 1], change)
            case "attn.q" | "attn.k" | "attn.v" if self.is_gpt2:
                start = "qkv".index(name[-1]) * parts.config.n_embd
                part = slice(start, start + parts.config.n_embd)
                change_output(attention.c_attn, lambda value: by_head(value[..., part]))
            case "attn.q" | "attn.k" | "attn.v":
                change_output(getattr(attention, f"{name[-1]}_proj"), by_head)
            case "attn.pattern":
                attention.pattern_changes = [*getattr(attention, "pattern_changes", []), change]
            case "attn.z":
                change_input(parts.attention_out(layer), by_head)
            case "attn_out":
                change_output(parts.attention_out(layer), change)
            case "mlp.pre":
                change_output(parts.mlp_in(layer), change)
            case "mlp.post":
                change_input(parts.mlp_out(layer), change)
            case "mlp_out":
                change_output(parts.mlp_out(layer), change)
            case _:
                raise ValueError(f"no hook for {name}")


def change_input(module: nn.Module, change: Change) -> None:
    def hook(_module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        changed = inputs[0].clone().contiguous()
        change(changed)
        return (changed, *inputs[1:])

    module.register_forward_pre_hook(hook)


def change_output(module: nn.Module, change: Change) -> None:
    def hook(_module: nn.Module, _inputs: tuple, output: Tensor | tuple[Tensor, ...]) -> Tensor | tuple[Tensor, ...]:
        changed = first(output).clone().contiguous()
        change(changed)
        return (changed, *output[1:]) if isinstance(output, tuple) else changed

    module.register_forward_hook(hook)


@contextmanager
def changeable_patterns(scene: Scene) -> Iterator[None]:
    """While open, eager attention applies the `pattern_changes` of its module before values are mixed."""
    modeling = sys.modules[type(scene.model).__module__]
    original = modeling.eager_attention_forward

    def attention(module: nn.Module, query: Tensor, key: Tensor, value: Tensor, *args, **rest) -> tuple[Tensor, Tensor]:
        output, pattern = original(module, query, key, value, *args, **rest)
        changes = getattr(module, "pattern_changes", [])
        if not changes:
            return output, pattern
        pattern = pattern.clone()
        for change in changes:
            change(pattern)
        values = value.repeat_interleave(query.shape[1] // value.shape[1], dim=1)
        return torch.matmul(pattern, values).transpose(1, 2).contiguous(), pattern

    modeling.eager_attention_forward = attention
    try:
        yield
    finally:
        modeling.eager_attention_forward = original
