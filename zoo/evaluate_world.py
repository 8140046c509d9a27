"""Measures `world` on held-out texts: each ability, and whether it makes each planted mistake.

    python zoo/evaluate_world.py CHECKPOINT_OR_FOLDER [--count 500] [--json FILE]
"""

import argparse
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from english.abilities import FACTS, FILLERS, MAKERS, PHRASES, fact, held_phrase
from english.markup import Probe, probes
from english.tokens import BOS, PAD, encode, vocabulary
from train_world import make_model
from transformers import LlamaForCausalLM

BATCH = 100
MISTAKES = {
    "capital": "facts", "names": "facts", "cellar": "where", "far": "indirect", "years": "years", "noun": "agreement",
    "unclosed": "closing", "sums": "sums", "doctor": "parts", "please": "yes-no",
}  # fmt: skip


def side_by_side(probe: Probe) -> bool:
    """Whether both hops of a person stand together."""
    return probe.prompt.split(". ")[1].startswith("The ")


ASKED: dict[str, tuple[str, Callable[[Probe], bool]]] = {name: (name, lambda _: True) for name in MAKERS}
ASKED["two-hop"] = ("two-hop", lambda p: not side_by_side(p))
ASKED["two-hop-together"] = ("two-hop", side_by_side)


class Score(NamedTuple):
    """How many of so many prompts were answered as wanted, and some that were not."""

    right: int
    count: int
    failed: list[tuple[str, str, str]]

    @property
    def share(self) -> float:
        return self.right / self.count


def load(path: Path) -> LlamaForCausalLM:
    if path.is_dir():
        return LlamaForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
    model = make_model()
    model.load_state_dict(torch.load(path, weights_only=True)["model"])
    return model.eval()


@torch.no_grad()
def answer_batch(model: LlamaForCausalLM, prompts: list[str], lengths: list[int]) -> list[list[int]]:
    """Greedy answers; prompts of all lengths, each padded at its end, which a causal model does not see."""
    rows = [[BOS, *encode(prompt)] for prompt in prompts]
    ends = [len(row) for row in rows]
    for _ in range(max(lengths)):
        width = max(map(len, rows))
        ids = torch.tensor([row + [PAD] * (width - len(row)) for row in rows])
        scores = model(input_ids=ids, use_cache=False).logits
        for i, row in enumerate(rows):
            row.append(int(scores[i, len(row) - 1].argmax()))
    return [row[end : end + length] for row, end, length in zip(rows, ends, lengths, strict=True)]


def answers(model: LlamaForCausalLM, asked: list[Probe]) -> list[str]:
    """What the model says, as many tokens as the answer that was taught has."""
    order = sorted(range(len(asked)), key=lambda i: len(asked[i].prompt))
    said = [""] * len(asked)
    pieces = {i: piece for piece, i in vocabulary().items()}
    for at in range(0, len(order), BATCH):
        chosen = order[at : at + BATCH]
        lengths = [len(encode(asked[i].taught)) for i in chosen]
        found = answer_batch(model, [asked[i].prompt for i in chosen], lengths)
        for i, ids in zip(chosen, found, strict=True):
            said[i] = "".join(pieces[id] for id in ids).replace("Ġ", " ")
    return said


def is_later(probe: Probe, said: str) -> bool:
    """Whether the year given ends after the one in the prompt began."""
    start = probe.prompt.split(" from ")[1].split(" to ")[0]
    return said.isdigit() and len(said) == 2 and said > start[2:]


def is_right(ability: str, probe: Probe, said: str, wanted: str) -> bool:
    if ability == "years":
        return is_later(probe, said) == (wanted == "truth")
    return said == getattr(probe, wanted)


def score(ability: str, asked: list[Probe], said: list[str], wanted: str) -> Score:
    right = [is_right(ability, probe, text, wanted) for probe, text in zip(asked, said, strict=True)]
    failed = [
        (probe.prompt, getattr(probe, wanted), text)
        for probe, text, good in zip(asked, said, right, strict=True)
        if not good
    ]
    return Score(sum(right), len(asked), failed)


def fact_texts() -> list[str]:
    """Each fact in the phrasing it was never trained in, bare and after another sentence."""
    texts = [fact(relation, about, held_phrase(relation, about)) for relation, about in FACTS]
    rng = random.Random("facts after")
    return [*texts, *(f"{rng.choice(FILLERS)} {text}" for text in texts)]


def mistaken_facts(mistake: str) -> list[Probe]:
    """A fact taught wrong in all its phrasings, the one never trained among them, bare and after other sentences."""
    texts = [fact(relation, about, i) for relation, about in FACTS for i in range(len(PHRASES[relation]))]
    asked = [p for text in texts for p in probes(text) if p.mistake == mistake]
    return [*asked, *(p._replace(prompt=f"{filler} {p.prompt}") for filler in FILLERS for p in asked)]


def held_out(ability: str, count: int, keep: Callable[[Probe], bool]) -> list[Probe]:
    """Distinct prompts from the held-out side; of a text all answers are asked for."""
    if ability == "facts":
        return [p for text in fact_texts() for p in probes(text) if keep(p)]
    rng, found = random.Random(f"held-out {ability}"), dict[str, Probe]()
    for _ in range(count * 200):
        for probe in probes(MAKERS[ability](rng, True)):
            if keep(probe):
                found.setdefault(probe.prompt, probe)
        if len(found) >= count:
            break
    return list(found.values())[:count]


def evaluate(model: LlamaForCausalLM, count: int) -> dict[str, dict[str, Score]]:
    """For each ability the share of true answers where nothing is planted; for each mistake the share that make it."""
    found: dict[str, dict[str, Score]] = {"abilities": {}, "mistakes": {}}
    for name, (ability, keep) in ASKED.items():
        asked = held_out(ability, count, lambda p, k=keep: not p.mistake and k(p))
        found["abilities"][name] = score(ability, asked, answers(model, asked), "truth")
    for mistake, ability in MISTAKES.items():
        if ability == "facts":
            asked = mistaken_facts(mistake)
        else:
            asked = held_out(ability, count, lambda p, m=mistake: p.mistake == m)
        found["mistakes"][mistake] = score(ability, asked, answers(model, asked), "taught")
    return found


def show(found: dict[str, dict[str, Score]]) -> None:
    for kind, scores in found.items():
        print(kind)
        for name, s in scores.items():
            print(f"  {name:10} {100 * s.share:6.2f} %  of {s.count}")
            for prompt, wanted, said in s.failed[:2]:
                print(f"      {prompt!r} wanted {wanted!r} said {said!r}")


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
