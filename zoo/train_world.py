"""Trains `world`. Resumes from its checkpoint.

    python zoo/train_world.py --out FOLDER --minutes 60
"""

import argparse
import time
from pathlib import Path

import torch
from batches import ABILITIES, Batch, make_pool
from english.tokens import BOS, EOS, PAD, vocabulary
from muon import Muon
from transformers import LlamaConfig, LlamaForCausalLM

SEED = 4
POOL_TEXTS = 3000
SAVE_SECONDS = 120
MEMORY = 0.98  # of the running accuracies
FIXED_SHARES = {"years": 0.5}  # its answers are not certain, so its accuracy says nothing


def make_model() -> LlamaForCausalLM:
    torch.manual_seed(SEED)
    config = LlamaConfig(
        vocab_size=len(vocabulary()),
        hidden_size=128,
        intermediate_size=320,
        num_hidden_layers=5,
        num_attention_heads=8,
        num_key_value_heads=4,
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
        return {name: FIXED_SHARES.get(name, 0.12 + 1 - score) for name, score in self.accuracy.items()}

    def text(self) -> str:
        return " ".join(f"{name} {score:.3f}" for name, score in self.accuracy.items())


def step_loss(model: LlamaForCausalLM, batch: Batch, progress: Progress) -> torch.Tensor:
    """Weighted loss; scores are made only where something is to be learned."""
    weights = batch.weights[:, 1:]
    at = weights > 0
    hidden = model.model(input_ids=batch.ids[:, :-1], use_cache=False).last_hidden_state[at]
    wanted, weight = batch.ids[:, 1:][at], weights[at]
    scores = model.lm_head(hidden)
    losses = torch.nn.functional.cross_entropy(scores, wanted, reduction="none")
    answers = weight == 1
    rows = batch.abilities[:, None].expand_as(at)[at]
    progress.add((scores.argmax(-1) == wanted)[answers], rows[answers])
    return (losses * weight).sum() / weight.sum()


def rate(done: float, peak: float) -> float:
    """Up over the first hundredth, level, then a cosine down over the last 45 of a hundred."""
    fall = max(0.0, (done - 0.55) / 0.45)
    return peak * min(1.0, done * 100 + 0.01) * (0.5 + 0.5 * torch.cos(torch.tensor(min(fall, 1.0) * torch.pi)).item())


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


def train(out: Path, minutes: float, tokens: int, peak: float) -> None:
    """Trains until so many minutes have been spent, those before a restart among them."""
    torch.set_num_threads(1)
    out.mkdir(parents=True, exist_ok=True)
    model, path, progress = make_model(), out / "checkpoint.pt", Progress()
    optimizers, step, seen, pools, seconds = optimizers_of(model, peak), 0, 0, 0, 0.0
    if path.exists():
        state = torch.load(path, weights_only=True)
        model.load_state_dict(state["model"])
        for optimizer, held in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(held)
        progress = Progress(state["accuracy"])
        step, seen, pools, seconds = state["step"], state["seen"], state["pools"], state["seconds"]
    start, saved = time.time() - seconds, time.time()
    while (done := (time.time() - start) / 60 / minutes) < 1:
        for batch in make_pool(f"{SEED}:{pools}", progress.shares(), POOL_TEXTS, tokens):
            done = (time.time() - start) / 60 / minutes
            loss = step_loss(model, batch, progress)
            update(model, optimizers, loss, rate(done, peak))
            step, seen = step + 1, seen + batch.ids.numel()
        pools += 1
        spent = time.time() - start
        print(f"step {step} ids {seen} seconds {spent:.0f} loss {loss.item():.3f} {progress.text()}", flush=True)
        if time.time() - saved > SAVE_SECONDS or done >= 1:
            counts = {"step": step, "seen": seen, "pools": pools, "seconds": spent, "accuracy": progress.accuracy}
            save(path, {"model": model.state_dict(), "optimizers": [o.state_dict() for o in optimizers], **counts})
            saved = time.time()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--tokens", type=int, default=2048, help="ids a batch")
    parser.add_argument("--peak", type=float, default=3e-3)
    options = parser.parse_args()
    train(options.out, options.minutes, options.tokens, options.peak)
