"""Muon: momentum made orthogonal, for the matrices inside a model. Jordan et al. 2024, "Muon"."""

from collections import defaultdict

import torch

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonal(stack: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """About the nearest matrices with orthogonal rows (or columns), by a quintic Newton-Schulz iteration."""
    a, b, c = COEFFICIENTS
    tall = stack.shape[1] > stack.shape[2]
    x = stack.mT if tall else stack
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Steps of about the size that AdamW's have (factor 0.2 of the larger side's root)."""

    def __init__(self, matrices: list[torch.nn.Parameter], lr: float, weight_decay: float, momentum: float = 0.95):
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure=None) -> None:  # noqa: ANN001
        for group in self.param_groups:
            shapes = defaultdict(list)
            for p in group["params"]:
                shapes[p.shape].append(p)
            for shape, alike in shapes.items():
                moves = orthogonal(torch.stack([self.momentum(p, group["momentum"]) for p in alike]))
                for p, move in zip(alike, moves, strict=True):
                    p.mul_(1 - group["lr"] * group["weight_decay"])
                    p.add_(move, alpha=-group["lr"] * 0.2 * max(shape) ** 0.5)

    def momentum(self, p: torch.nn.Parameter, share: float) -> torch.Tensor:
        """Nesterov's."""
        state = self.state[p]
        if not state:
            state["mean"] = torch.zeros_like(p)
        state["mean"].lerp_(p.grad, 1 - share)
        return p.grad.lerp(state["mean"], share)
