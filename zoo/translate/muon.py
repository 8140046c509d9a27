"""Muon: momentum, made orthogonal, for the matrices between the tables. Matrices of one shape go together.

@source Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks" (the quintic's coefficients)
"""

import torch


def orthogonal(g: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """Nearly the nearest orthogonal matrices. [matrix, small, large]"""
    x = g / (g.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        square = x @ x.mT
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x


class Muon(torch.optim.Optimizer):
    """Update: -lr * sqrt(larger side / smaller side) * orthogonal(momentum), for weights of two axes."""

    def __init__(self, params, lr: float, momentum: float = 0.95) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            shapes: dict[tuple[int, ...], list[torch.nn.Parameter]] = {}
            for p in group["params"]:
                shapes.setdefault(tuple(sorted(p.shape)), []).append(p)
            for (small, large), same in shapes.items():
                moved = orthogonal(torch.stack([self.moved(p, group["momentum"]) for p in same]))
                for p, update in zip(same, moved):
                    update = update if p.shape[0] <= p.shape[1] else update.T
                    p.add_(update, alpha=-group["lr"] * (large / small) ** 0.5)

    def moved(self, p: torch.nn.Parameter, momentum: float) -> torch.Tensor:
        """The gradient with Nesterov momentum, the smaller side first."""
        state = self.state[p]
        if "velocity" not in state:
            state["velocity"] = torch.zeros_like(p.grad)
        velocity = state["velocity"].lerp_(p.grad, 1 - momentum)
        ahead = p.grad.lerp(velocity, momentum)
        return ahead if p.shape[0] <= p.shape[1] else ahead.T
