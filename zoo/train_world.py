"""Trains `world`. Resumes from its checkpoint.

    python zoo/train_world.py --out FOLDER
"""

import argparse
import math
import time
from pathlib import Path

import torch
from aids import aids_loss
from batches import ABILITIES, Batch, make_pool
from english.tokens import BOS, EOS, PAD, vocabulary
from muon import Muon
from transformers import LlamaConfig, LlamaForCausalLM

SEED = 4
POOL_TEXTS = 3000
SAVE_SECONDS = 120
MEMORY = 0.98  # of the running accuracies
FACTORS = {"facts": 6.0, "sums": 3.0, "two-hop": 3.0, "where": 2.0, "induction": 2.0}  # much to remember, or hard
FIXED_SHARES = {"years": 0.15}  # its answers are not certain, so its accuracy says nothing


def make_model() -> LlamaForCausalLM:
    torch.manual_seed(SEED)
    config = LlamaConfig(
        vocab_size=len(vocabulary()),
        hidden_size=128,
        intermediate_size=320,
        num_hidden_layers=7,
        num_attention_heads=8,
        num_key_value_heads=4,
        head_dim=32,  # with 16, few numbers are left that positions hardly turn, to find a word again by
        max_position_embeddings=256,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        initializer_range=0.05,
        pad_token_id=PAD,
        bos_token_id=BOS,
        eos_token_id=EOS,
    )
    return LlamaForCausalLM(config)


class Progress:
    """Running accuracy on the answers of each ability; what lags is trained more."""

    def __init__(self, accuracy: dict[str, float] | None = None) -> None:
        self.accuracy = accuracy or dict.fromkeys(ABILITIES, 0.0)

    def add(self, right: torch.Tensor, abilities: torch.Tensor) -> None:
        for i, name in enumerate(ABILITIES):
            mine = right[abilities == i]
            if len(mine):
                memory = MEMORY ** (len(mine) / 20)
                self.accuracy[name] = memory * self.accuracy[name] + (1 - memory) * mine.float().mean().item()

    def shares(self) -> dict[str, float]:
        lagging = {name: 0.07 + FACTORS.get(name, 1.0) * (1 - score) for name, score in self.accuracy.items()}
        return lagging | FIXED_SHARES

    def text(self) -> str:
        return " ".join(f"{name} {score:.3f}" for name, score in self.accuracy.items())


def step_loss(model: LlamaForCausalLM, batch: Batch, progress: Progress) -> torch.Tensor:
    """Weighted loss; scores are made only where something is to be learned."""
    weights = batch.weights[:, 1:]
    at = weights > 0
    found = model.model(input_ids=batch.ids[:, :-1], use_cache=False, output_hidden_states=True)
    wanted, weight = batch.ids[:, 1:][at], weights[at]
    scores = model.lm_head(found.last_hidden_state[at])
    losses = torch.nn.functional.cross_entropy(scores, wanted, reduction="none")
    answers = weight == 1
    rows = batch.abilities[:, None].expand_as(at)[at]
    progress.add((scores.argmax(-1) == wanted)[answers], rows[answers])
    aids = aids_loss(model, found.hidden_states, batch)
    return ((losses * weight).sum() + aids) / weight.sum()


def rate(step: int, steps: int, decay: int, peak: float) -> float:
    """Up in 100 steps, level, then a cosine down over the last `decay` steps."""
    left = min(1.0, (steps - step) / decay)
    return peak * min(1.0, (step + 1) / 100) * (0.5 - 0.5 * math.cos(math.pi * left))


def optimizers_of(model: torch.nn.Module, peak: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the blocks, AdamW for tables, norms and biases."""
    named = list(model.named_parameters())
    inside = [p for name, p in named if p.ndim == 2 and "layer" in name]
    tables = [p for name, p in named if p.ndim == 2 and "layer" not in name]
    rest = [p for _, p in named if p.ndim == 1]
    groups = [{"params": tables, "weight_decay": 0.01}, {"params": rest, "weight_decay": 0.0}]
    return [Muon(inside, peak, 0.05), torch.optim.AdamW(groups, lr=peak, betas=(0.9, 0.98), fused=True)]


def update(model: torch.nn.Module, optimizers: list[torch.optim.Optimizer], loss: torch.Tensor, lr: float) -> None:
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = lr
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)


def save(path: Path, state: dict) -> None:
    torch.save(state, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def resume(path: Path, model: torch.nn.Module, optimizers: list[torch.optim.Optimizer]) -> dict:
    """The counts of a checkpoint, whose weights are read; those of a start if there is none."""
    if not path.exists():
        return {"step": 0, "seen": 0, "pools": 0, "seconds": 0.0, "accuracy": None}
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    for optimizer, held in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(held)
    return state


def train(out: Path, steps: int, decay: int, tokens: int, peak: float) -> None:
    """Trains until so many steps were taken; a checkpoint is of the end of a pool of texts."""
    torch.set_num_threads(1)
    out.mkdir(parents=True, exist_ok=True)
    model, path = make_model(), out / "checkpoint.pt"
    optimizers = optimizers_of(model, peak)
    state = resume(path, model, optimizers)
    progress, step, seen, pools = Progress(state["accuracy"]), state["step"], state["seen"], state["pools"]
    start, saved = time.time() - state["seconds"], time.time()
    while step < steps:
        for batch in make_pool(f"{SEED}:{pools}", progress.shares(), POOL_TEXTS, tokens):
            loss = step_loss(model, batch, progress)
            update(model, optimizers, loss, rate(step, steps, decay, peak))
            step, seen = step + 1, seen + batch.ids.numel()
            if step >= steps:
                break
        pools, spent = pools + 1, time.time() - start
        print(f"step {step} ids {seen} seconds {spent:.0f} loss {loss.item():.3f} {progress.text()}", flush=True)
        if time.time() - saved > SAVE_SECONDS or step >= steps:
            counts = {"step": step, "seen": seen, "pools": pools, "seconds": spent, "accuracy": progress.accuracy}
            save(path, {"model": model.state_dict(), "optimizers": [o.state_dict() for o in optimizers], **counts})
            saved = time.time()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=7500)
    parser.add_argument("--decay", type=int, default=4500)
    parser.add_argument("--tokens", type=int, default=2048, help="ids a batch")
    parser.add_argument("--peak", type=float, default=3e-3)
    options = parser.parse_args()
    train(options.out, options.steps, options.decay, options.tokens, options.peak)
