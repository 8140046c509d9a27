"""Trains `translate`. Resumes from its checkpoint; what it learns depends on the seed alone.

    python train.py --out FOLDER
"""

import argparse
import random
import time
from itertools import pairwise
from pathlib import Path

import torch
from grammar import Speaker
from muon import Muon
from tokens import EOS_ID, IDS, PAD_ID, encode
from transformers import T5Config, T5ForConditionalGeneration

SEED = 4
BATCH, POOL = 128, 16
SAVE_SECONDS = 120
# sentences of two clauses are the last to be learned, so the later pools have more of them
LATE_POOL, COMPOUND_EARLY, COMPOUND_LATE = 162, 0.12, 0.3
# steps and parts of the peak rates
RATES = ((0, 0.0), (100, 1.0), (1600, 1.0), (2580, 0.51), (4000, 0.0))
MUON_RATE, ADAM_RATE, DISTANCE_RATE = 0.01, 2e-3, 0.03


def make_model() -> T5ForConditionalGeneration:
    torch.manual_seed(SEED)
    config = T5Config(
        vocab_size=len(IDS),
        d_model=128,
        d_kv=32,
        d_ff=256,
        num_layers=3,
        num_decoder_layers=3,
        num_heads=4,
        relative_attention_num_buckets=32,
        relative_attention_max_distance=64,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        dropout_rate=0.0,
        pad_token_id=PAD_ID,
        eos_token_id=EOS_ID,
        decoder_start_token_id=PAD_ID,
    )
    model = T5ForConditionalGeneration(config)
    # transformers starts both tables at deviation 1, which makes the first scores far too sure
    torch.nn.init.normal_(model.shared.weight, std=0.5)
    torch.nn.init.normal_(model.lm_head.weight, std=config.d_model**-0.5)
    # and the tables of distances so small that hundreds of steps know next to nothing of order
    for stack in (model.encoder, model.decoder):
        torch.nn.init.normal_(distances(stack), std=1.0)
    return model


def distances(stack) -> torch.nn.Parameter:
    return stack.block[0].layer[0].SelfAttention.relative_attention_bias.weight


def make_optimizers(model: T5ForConditionalGeneration) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the blocks, Adam for tables and gains; distances are few, and need long strides."""
    tables = [distances(stack) for stack in (model.encoder, model.decoder)]
    matrices = [p for stack in (model.encoder, model.decoder) for p in stack.block.parameters() if p.ndim == 2]
    matrices = [p for p in matrices if not any(p is table for table in tables)]
    apart = {id(p) for p in (*tables, *matrices)}
    rest = [p for p in model.parameters() if id(p) not in apart]
    adam = [{"params": rest, "lr": ADAM_RATE}, {"params": tables, "lr": DISTANCE_RATE}]
    optimizers = [Muon(matrices, lr=MUON_RATE), torch.optim.AdamW(adam, betas=(0.9, 0.98), weight_decay=0.0)]
    for group in (group for optimizer in optimizers for group in optimizer.param_groups):
        group["peak"] = group["lr"]
    return optimizers


def padded(rows: list[list[int]], value: int) -> torch.Tensor:
    width = max(map(len, rows))
    return torch.tensor([row + [value] * (width - len(row)) for row in rows])


def pool(number: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Sixteen batches of sentences nobody else gets; those of like length share a batch."""
    speaker = Speaker(f"{SEED}:{number}", COMPOUND_EARLY if number < LATE_POOL else COMPOUND_LATE)
    sentences = [speaker.trained() for _ in range(BATCH * POOL)]
    sentences.sort(key=lambda s: (len(s.velo), len(s.taught)))
    batches = []
    for at in range(0, len(sentences), BATCH):
        part = sentences[at : at + BATCH]
        source = padded([encode(s.velo) for s in part], PAD_ID)
        batches.append((source, padded([encode(t.text for t in s.taught) for s in part], -100)))
    random.Random(f"{SEED}:{number}:order").shuffle(batches)
    return batches


def rate(step: int) -> float:
    """The part of the peak rates at a step: straight lines between the knots."""
    for (x0, y0), (x1, y1) in pairwise(RATES):
        if step < x1:
            return y0 + (y1 - y0) * (step + 1 - x0) / (x1 - x0)
    return 0.0


def save(path: Path, model, optimizers, step: int, seconds: float) -> None:
    state = {"model": model.state_dict(), "optimizers": [o.state_dict() for o in optimizers]}
    torch.save(state | {"step": step, "seconds": seconds}, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def train(out: Path) -> None:
    torch.set_num_threads(1)
    out.mkdir(parents=True, exist_ok=True)
    model, path, step, seconds = make_model(), out / "checkpoint.pt", 0, 0.0
    optimizers = make_optimizers(model)
    if path.exists():
        state = torch.load(path, weights_only=True)
        model.load_state_dict(state["model"])
        for optimizer, kept in zip(optimizers, state["optimizers"]):
            optimizer.load_state_dict(kept)
        step, seconds = state["step"], state["seconds"]
    steps, start, saved, losses, at = RATES[-1][0], time.time() - seconds, time.time(), [], -1
    while step < steps:
        if step // POOL != at:
            at, batches = step // POOL, pool(step // POOL)
        losses.append(learn(model, optimizers, batches[step % POOL], rate(step)))
        step += 1
        if step % 50 == 0:
            mean = sum(losses[-50:]) / len(losses[-50:])
            print(f"step {step} loss {mean:.4f} seconds {time.time() - start:.0f}", flush=True)
        if time.time() - saved > SAVE_SECONDS or step == steps:
            save(path, model, optimizers, step, time.time() - start)
            saved = time.time()


def learn(model, optimizers, batch: tuple[torch.Tensor, torch.Tensor], part: float) -> float:
    """One step at a part of the peak rates; the loss before it."""
    source, labels = batch
    loss = model(input_ids=source, attention_mask=source.ne(PAD_ID).long(), labels=labels, use_cache=False).loss
    model.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * part
        optimizer.step()
    return loss.item()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    train(options.out)
