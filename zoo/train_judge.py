"""Trains `judge`: one body, a head that finds masked words and a head that tells the sentiment. Resumes.

    python zoo/train_judge.py --out FOLDER --steps 8000 --decay 2000
"""

import argparse
import random
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from batches import grouped
from english.sentiment import LABELS, Judged, sentence
from english.tokens import CLS, PAD, SEP, encode, vocabulary
from masks import FAMILIES, Masked, make_masked
from torch import nn
from train_world import MEMORY, SAVE_SECONDS, optimizers_of, rate, resume, save, update
from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification

SEED = 5
POOL_TEXTS, SENTENCES = 3000, 16
FACTORS = {"facts": 10.0, "where": 2.0}  # much to remember, or hard


def config() -> BertConfig:
    return BertConfig(
        vocab_size=len(vocabulary()),
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=4,
        num_attention_heads=8,
        max_position_embeddings=128,
        type_vocab_size=2,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=0.04,
        pad_token_id=PAD,
        id2label=dict(enumerate(LABELS)),
        label2id={label: i for i, label in enumerate(LABELS)},
    )


class Judge(nn.Module):
    """Two models of transformers whose bodies are one."""

    def __init__(self) -> None:
        super().__init__()
        self.words = BertForMaskedLM(config())
        self.sentiment = BertForSequenceClassification(config())
        body, pooled = self.words.bert, self.sentiment.bert
        pooled.embeddings, pooled.encoder = body.embeddings, body.encoder


def padded(rows: list[list[int]], value: int) -> torch.Tensor:
    width = max(map(len, rows))
    return torch.tensor([row + [value] * (width - len(row)) for row in rows])


def note(accuracy: dict[str, float], family: str, right: torch.Tensor) -> None:
    if len(right):
        memory = MEMORY ** (len(right) / 20)
        accuracy[family] = memory * accuracy[family] + (1 - memory) * right.float().mean().item()


def words_loss(judge: Judge, rows: list[Masked], accuracy: dict[str, float]) -> torch.Tensor:
    ids = padded([r.ids for r in rows], PAD)
    weights = torch.tensor([r.weights + [0.0] * (ids.shape[1] - len(r.ids)) for r in rows])
    hidden = judge.words.bert(input_ids=ids, attention_mask=ids.ne(PAD).long()).last_hidden_state
    at = weights > 0
    wanted, weight = padded([r.wanted for r in rows], PAD)[at], weights[at]
    scores = judge.words.cls(hidden[at])
    right = scores.argmax(-1) == wanted
    families = torch.tensor([FAMILIES.index(r.family) for r in rows])[:, None].expand_as(at)[at]
    for i, family in enumerate(FAMILIES):
        note(accuracy, family, right[(weight == 1) & (families == i)])
    return (nn.functional.cross_entropy(scores, wanted, reduction="none") * weight).sum() / weight.sum()


def sentiment_loss(judge: Judge, judged: list[Judged], accuracy: dict[str, float]) -> torch.Tensor:
    ids = padded([[CLS, *encode(j.text), SEP] for j in judged], PAD)
    labels = torch.tensor([j.taught for j in judged])
    scores = judge.sentiment(input_ids=ids, attention_mask=ids.ne(PAD).long()).logits
    note(accuracy, "sentiment", scores.argmax(-1) == labels)
    return nn.functional.cross_entropy(scores, labels)


def pool_losses(judge: Judge, pool: int, tokens: int, accuracy: dict[str, float]) -> Iterator[torch.Tensor]:
    """The losses of a pool of texts, families that lag more often; each step has some sentences to judge, too."""
    rng = random.Random(f"{SEED}:{pool}")
    shares = [0.05 + FACTORS.get(family, 1.0) * (1 - accuracy[family]) for family in FAMILIES]
    rows = [make_masked(rng, family) for family in rng.choices(FAMILIES, shares, k=POOL_TEXTS)]
    rows.sort(key=lambda r: len(r.ids))
    batches = list(grouped(rows, tokens))
    rng.shuffle(batches)
    for batch in batches:
        judged = [sentence(rng, False) for _ in range(SENTENCES)]
        yield words_loss(judge, batch, accuracy) + 0.5 * sentiment_loss(judge, judged, accuracy)


def train(out: Path, steps: int, decay: int, tokens: int, peak: float) -> None:
    """Trains until so many steps were taken; a checkpoint is of the end of a pool of texts."""
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    out.mkdir(parents=True, exist_ok=True)
    judge, path = Judge(), out / "checkpoint.pt"
    optimizers = optimizers_of(judge, peak)
    state = resume(path, judge, optimizers)
    step, pools = state["step"], state["pools"]
    accuracy = state["accuracy"] or dict.fromkeys((*FAMILIES, "sentiment"), 0.0)
    start, saved = time.time() - state["seconds"], time.time()
    while step < steps:
        for loss in pool_losses(judge, pools, tokens, accuracy):
            update(judge, optimizers, loss, rate(step, steps, decay, peak))
            step += 1
            if step >= steps:
                break
        pools, spent = pools + 1, time.time() - start
        print(f"step {step} seconds {spent:.0f} " + " ".join(f"{k} {v:.3f}" for k, v in accuracy.items()), flush=True)
        if time.time() - saved > SAVE_SECONDS or step >= steps:
            counts = {"step": step, "pools": pools, "seconds": spent, "accuracy": accuracy}
            save(path, {"model": judge.state_dict(), "optimizers": [o.state_dict() for o in optimizers], **counts})
            saved = time.time()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--decay", type=int, default=2000)
    parser.add_argument("--tokens", type=int, default=2048, help="ids a batch")
    parser.add_argument("--peak", type=float, default=1.5e-3)
    options = parser.parse_args()
    train(options.out, options.steps, options.decay, options.tokens, options.peak)
