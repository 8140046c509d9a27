"""Runs a model and writes down what it computes, under the site names of Cutaway."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import torch
from parts import AttentionTap, Parts, Tap
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

Sites = dict[str, Tensor]

#: The best token must beat the second by this much at each greedy step, so that rounding cannot change the choice.
LEAST_GAP = 5e-3


def first(output: Tensor | tuple[Tensor, ...]) -> Tensor:
    return output[0] if isinstance(output, tuple) else output


def without_batch(value: Tensor) -> Tensor:
    """[1, position, ...] -> [position, ...]; some modules are given [position, model]."""
    return (value[0] if value.dim() > 2 else value).detach().clone()


def hook(tap: Tap, sites: Sites) -> torch.utils.hooks.RemovableHandle:
    """Writes the site at each run of the module; batch of one."""

    def after(_module: nn.Module, _inputs: tuple, output: Tensor | tuple[Tensor, ...]) -> None:
        sites[tap.site] = tap.view(without_batch(first(output)))

    def before(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        sites[tap.site] = tap.view(without_batch(inputs[0]))

    if tap.side == "in":
        return tap.module.register_forward_pre_hook(before)
    return tap.module.register_forward_hook(after)


class Softmaxes(TorchFunctionMode):
    """Gives what goes into each softmax to whoever looks."""

    def __init__(self) -> None:
        super().__init__()
        self.look: Callable[[Tensor], None] | None = None

    def __torch_function__(self, func: Callable, types: object, args: tuple = (), kwargs: dict | None = None) -> object:
        if self.look and func is nn.functional.softmax:
            self.look(args[0])
        return func(*args, **(kwargs or {}))


@contextmanager
def scores_recorded(taps: list[AttentionTap], sites: Sites) -> Iterator[None]:
    """Writes `scores`, what goes into the softmax of each attention module."""
    softmaxes = Softmaxes()

    def enter(tap: AttentionTap) -> Callable[..., None]:
        def look(value: Tensor) -> None:
            scores = value.reshape(-1, *value.shape[-2:]).detach()
            sites[f"{tap.prefix}.scores"] = scores.clamp(min=torch.finfo(torch.float32).min)  # two masks make -inf

        return lambda *_: setattr(softmaxes, "look", look)

    def leave(*_: object) -> None:
        softmaxes.look = None

    with ExitStack() as stack:
        for tap in taps:
            stack.callback(tap.module.register_forward_pre_hook(enter(tap)).remove)
            stack.callback(tap.module.register_forward_hook(leave).remove)
        stack.enter_context(softmaxes)
        yield


@contextmanager
def rotated_recorded(taps: list[AttentionTap], sites: Sites) -> Iterator[None]:
    """Writes `rot_q` and `rot_k`, what eager attention is given, [position, head, headDim]."""
    prefixes = {tap.module: tap.prefix for tap in taps if tap.rotary}
    if not prefixes:
        yield
        return
    modeling = sys.modules[type(next(iter(prefixes))).__module__]
    original = modeling.eager_attention_forward

    def attention(module: nn.Module, query: Tensor, key: Tensor, *args: object, **rest: object) -> object:
        for name, value in (("rot_q", query), ("rot_k", key)) if module in prefixes else ():
            sites[f"{prefixes[module]}.{name}"] = value[0].transpose(0, 1).detach().clone()
        return original(module, query, key, *args, **rest)

    modeling.eager_attention_forward = attention
    try:
        yield
    finally:
        modeling.eager_attention_forward = original


@contextmanager
def recorded(parts: Parts, sites: Sites) -> Iterator[None]:
    """Writes every site that can be seen from outside into `sites` while the context is open; batch of one."""
    looked_into = list(parts.attentions())
    with ExitStack() as stack:
        for tap in parts.taps():
            stack.callback(hook(tap, sites).remove)
        stack.enter_context(scores_recorded(looked_into, sites))
        stack.enter_context(rotated_recorded(looked_into, sites))
        yield


def forward(model: nn.Module, ids: list[int]) -> Sites:
    """Logits, hidden states and attentions as transformers gives them, named as sites, without the batch axis."""
    out = model(
        input_ids=torch.tensor([ids]),
        use_cache=False,
        output_hidden_states=True,
        output_attentions=True,
    )
    layers = len(out.attentions)
    sites = {f"blocks.{i}.resid_pre": out.hidden_states[i][0] for i in range(layers)}
    sites["ln_final.normalized"] = out.hidden_states[layers][0]  # transformers' last hidden state is normed
    sites |= {f"blocks.{i}.attn.pattern": a[0] for i, a in enumerate(out.attentions)}
    sites["logits"] = out.logits[0]
    return sites


def greedy(model: nn.Module, prompt: list[int], steps: int, *, cache: bool = True) -> tuple[list[int], Tensor]:
    """
    Greedy generation by the model's own forward, EOS ignored.
    Returns the new ids, and the logits each was chosen from [step, vocab].
    """
    ids, rows, past = list(prompt), [], None
    for _ in range(steps):
        fed = ids if past is None else ids[-1:]
        out = model(input_ids=torch.tensor([fed]), past_key_values=past, use_cache=cache)
        past = out.past_key_values if cache else None
        rows.append(out.logits[0, -1])
        ids.append(int(rows[-1].argmax()))
    return ids[len(prompt) :], torch.stack(rows)


def narrowest_gap(logits: Tensor) -> float:
    """By how much the best token beats the second, where they are nearest [step, vocab]."""
    best = logits.topk(2).values
    return float((best[:, 0] - best[:, 1]).min())


def generate(model: nn.Module, prompt: list[int], steps: int) -> list[int]:
    """Greedy generation by `model.generate`, EOS ignored."""
    ids = torch.tensor([prompt])
    model.generation_config.eos_token_id = None  # an argument of None would fall back to the config's
    model.generation_config.pad_token_id = 0
    out = model.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=steps, do_sample=False, use_cache=True
    )
    return out[0, len(prompt) :].tolist()
