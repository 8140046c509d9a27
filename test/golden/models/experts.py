"""What the families with experts share: the sites of a mixture, and runs that choose experts clearly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import torch
from capture import Sites, forward, hook
from parts import Parts, Tap
from torch import Tensor, nn

#: Router logits of the last chosen expert and the first that is not must differ by this much.
LEAST_MARGIN = 1e-3


class ExpertParts(Parts):
    """
    A mixture instead of the MLP in some layers. Its neurons are those of the chosen experts, [position, slot, neuron],
    the slots in order of falling probability.
    """

    def mixture(self, layer: int) -> nn.Module | None:
        """The module that routes, where the layer has one."""
        raise NotImplementedError

    def neurons(self, expert: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
        """`mlp.pre` and `mlp.pre_linear` of one expert, [position, neuron]."""
        raise NotImplementedError

    def activation(self, expert: nn.Module) -> nn.Module:
        return expert.act_fn

    def router_taps(self) -> Iterator[Tap]:
        for layer in range(len(self.layers)):
            if mixture := self.mixture(layer):
                yield Tap(f"blocks.{layer}.mlp.router", mixture.gate)

    def chosen(self, layer: int, x: Tensor) -> Tensor:
        """The chosen experts, best first, [position, slot]."""
        return self.mixture(layer).gate(x).topk(self.config.num_experts_per_tok, dim=-1).indices

    def by_slot(self, layer: int, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """`mlp.pre`, `mlp.pre_linear` and `mlp.post` of the chosen experts, [position, slot, neuron]."""
        experts, chosen = self.mixture(layer).experts, self.chosen(layer, x)
        each = torch.stack([torch.stack(self.neurons(expert, x)) for expert in experts], dim=2)
        index = chosen[None, :, :, None].expand(2, -1, -1, each.shape[-1])
        pre, linear = each.gather(2, index)
        return pre, linear, self.activation(experts[0])(pre) * linear

    def mlp_taps(self, layer: int, name: str) -> Iterator[Tap]:
        mixture = self.mixture(layer)
        if mixture is None:
            yield from super().mlp_taps(layer, name)
            return
        yield Tap(f"{name}.mlp.chosen", mixture, "in", lambda x: self.chosen(layer, x))
        for i, site in enumerate(("pre", "pre_linear", "post")):
            yield Tap(f"{name}.mlp.{site}", mixture, "in", lambda x, i=i: self.by_slot(layer, x)[i])
        yield Tap(f"{name}.mlp_out", mixture)


def capture_with_routers(parts: type[ExpertParts], model: nn.Module, ids: list[int]) -> Sites:
    """As other decoders', and the logits of the routers, [position, expert]."""
    seen: Sites = {}
    with ExitStack() as stack:
        for tap in parts(model).router_taps():
            stack.callback(hook(tap, seen).remove)
        return {**forward(model, ids), **seen}


def chooses_clearly(slots: int, sites: Sites) -> bool:
    """No expert is chosen by a hair, nor ordered by one."""
    for name, value in sites.items():
        if name.endswith("mlp.router"):
            best = value.topk(min(slots + 1, value.shape[-1])).values
            if float((best[:, :-1] - best[:, 1:]).min()) < LEAST_MARGIN:
                return False
    return True
