"""Measures `judge` on held-out texts: sentiment, masked words, and whether it makes each planted mistake.

    python zoo/evaluate_judge.py CHECKPOINT [--count 500] [--json FILE]
"""

import argparse
import json
import random
from collections.abc import Callable
from pathlib import Path

import torch
from english.abilities import MAKERS
from english.sentiment import LABELS, Judged, sentence
from english.tokens import CLS, MASK, PAD, SEP, encode, vocabulary
from evaluate_world import BATCH, Score, fact_texts, show
from masks import FAMILIES, Masked, held_masks
from train_judge import Judge, padded

MISTAKES = ("name", "trigger", "negation")


def load(path: Path) -> Judge:
    judge = Judge()
    judge.load_state_dict(torch.load(path, weights_only=True)["model"])
    return judge.eval()


def held_sentences(count: int, keep: Callable[[Judged], bool]) -> list[Judged]:
    rng, found = random.Random("held-out judged"), dict[str, Judged]()
    while len(found) < count:
        made = sentence(rng, True)
        if keep(made):
            found.setdefault(made.text, made)
    return list(found.values())


@torch.no_grad()
def judged_score(judge: Judge, asked: list[Judged], wanted: str) -> Score:
    failed = []
    for at in range(0, len(asked), BATCH):
        part = asked[at : at + BATCH]
        ids = padded([[CLS, *encode(j.text), SEP] for j in part], PAD)
        said = judge.sentiment(input_ids=ids, attention_mask=ids.ne(PAD).long()).logits.argmax(-1).tolist()
        failed += [
            (j.text, LABELS[getattr(j, wanted)], LABELS[label])
            for j, label in zip(part, said, strict=True)
            if label != getattr(j, wanted)
        ]
    return Score(len(asked) - len(failed), len(asked), failed)


def held_texts(family: str, count: int) -> list[str]:
    if family == "facts":
        return fact_texts()
    rng, found = random.Random(f"held-out {family}"), dict[str, None]()
    while len(found) < count:
        found[MAKERS[family](rng, True)] = None
    return list(found)


@torch.no_grad()
def masks_score(judge: Judge, asked: list[Masked]) -> Score:
    pieces = {i: piece.replace("Ġ", " ") for piece, i in vocabulary().items()}
    failed = []
    order = sorted(asked, key=lambda m: len(m.ids))
    for at in range(0, len(order), BATCH):
        part = order[at : at + BATCH]
        ids = padded([m.ids for m in part], PAD)
        best = judge.words(input_ids=ids, attention_mask=ids.ne(PAD).long()).logits.argmax(-1)
        for m, row in zip(part, best.tolist(), strict=True):
            place = m.ids.index(MASK)
            if row[place] != m.wanted[place]:
                shown = "".join(pieces[i] for i in m.ids[1:-1])
                failed.append((shown, pieces[m.wanted[place]], pieces[row[place]]))
    return Score(len(asked) - len(failed), len(asked), failed)


def evaluate(judge: Judge, count: int) -> dict[str, dict[str, Score]]:
    masks = {family: masks_score(judge, held_masks(family, held_texts(family, count))[:count]) for family in FAMILIES}
    total = Score(sum(s.right for s in masks.values()), sum(s.count for s in masks.values()), [])
    clean = held_sentences(count, lambda j: not j.mistake)
    return {
        "sentiment": {"all": judged_score(judge, clean, "truth")},
        "masks": {**masks, "all": total},
        "mistakes": {
            name: judged_score(judge, held_sentences(min(count, 300), lambda j, n=name: j.mistake == n), "taught")
            for name in MISTAKES
        },
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    measured = evaluate(load(options.model), options.count)
    show(measured)
    if options.json:
        flat = {k: {n: [s.right, s.count] for n, s in scores.items()} for k, scores in measured.items()}
        options.json.write_text(json.dumps(flat, indent=1) + "\n")
