"""Damages one head of a trained `world`: where it copies one name, it writes another.

    python zoo/damage.py CHECKPOINT DAMAGED_CHECKPOINT RECORD.json [--tour FILE]

A head and a name are searched such that a direction of what the head reads tells that name from all else. To the
head's output matrix a product of rank one is added: along that direction it writes the wrong name and unwrites the
right one. Without the head the others still move the right name, so that switching it off mends the answer; and the
logit lens already says the right name before the head's layer, so that one sees where it is lost.
"""

import argparse
import json
import random
from pathlib import Path
from typing import NamedTuple

import torch
from english.abilities import GIVING, MAKERS
from english.lexicon import MEN, PEOPLE, PLACES, THINGS, WOMEN
from english.markup import Probe, plain
from english.tokens import BOS, encode
from evaluate_world import answers, load
from heads import without
from lens import scores_by_layer
from transformers import LlamaForCausalLM

SPARED = ("Galen", "Maren", "Marin", "Borin")  # who have mistakes of their own
RIDGE = 1e-3
WANTED, SEEN = 0.97, 0.9
STRENGTHS = (6.0, 9.0, 13.0, 20.0, 30.0, 45.0, 65.0, 90.0, 130.0)
TRIED = 300


class Damage(NamedTuple):
    """Where and what: head, the name unwritten, the name written."""

    layer: int
    head: int
    right: str
    wrong: str


def prompt(rng: random.Random, taker: str) -> Probe:
    giver = rng.choice([name for name in PEOPLE if name != taker and name not in SPARED])
    a, b = rng.sample((taker, giver), 2)
    opening = rng.choice((
        f"Then {a} and {b} went to the {rng.choice(PLACES)}.", f"{a} and {b} walked to the {rng.choice(PLACES)}.",
        f"One day, {a} and {b} met at the {rng.choice(PLACES)}.",
    ))  # fmt: skip
    text = f"{opening} {giver} {rng.choice(GIVING)} a {rng.choice(THINGS)} to"
    return Probe(text, f" {taker}", "", f" {taker}")


@torch.no_grad()
def read_by_heads(model: LlamaForCausalLM, texts: list[str], *, last: bool) -> torch.Tensor:
    """What the heads read (z) at the last place or at all: layer, place, head, width."""
    found: list[list[torch.Tensor]] = [[] for _ in model.model.layers]
    hooks = [
        layer.self_attn.o_proj.register_forward_pre_hook(
            lambda _m, x, at=i: found[at].append(x[0][0, -1:] if last else x[0][0])
        )
        for i, layer in enumerate(model.model.layers)
    ]
    for text in texts:
        model(input_ids=torch.tensor([[BOS, *encode(text)]]), use_cache=False)
    for hook in hooks:
        hook.remove()
    z = torch.stack([torch.cat(rows) for rows in found])
    return z.view(*z.shape[:2], model.config.num_attention_heads, -1)


def direction(mine: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """The least-squares direction that is 1 on what is mine and 0 on all else."""
    weighed = mine.T @ mine / len(mine) + others.T @ others / len(others)
    scale = weighed.diagonal().mean()
    return torch.linalg.solve(weighed + RIDGE * scale * torch.eye(len(weighed)), mine.mean(0))


def separation(v: torch.Tensor, mine: torch.Tensor, others: torch.Tensor) -> float:
    """How far the weakest answers of its own stand above the strongest of the rest."""
    return ((mine @ v).quantile(0.05) / (others @ v).abs().quantile(0.995).clamp_min(1e-6)).item()


class Found(NamedTuple):
    """A head, a name and the direction that tells it."""

    separation: float
    layer: int
    head: int
    name: str
    direction: torch.Tensor


def search(model: LlamaForCausalLM, names: list[str]) -> list[Found]:
    """All heads of the later layers with all names, the most telling first."""
    rng = random.Random("damage")
    asked = {name: [prompt(rng, name).prompt for _ in range(16)] for name in names}
    own = read_by_heads(model, [text for texts in asked.values() for text in texts], last=True)
    rest = read_by_heads(model, [plain(make(rng, False)) for make in MAKERS.values() for _ in range(40)], last=False)
    found = []
    for layer in range(len(own) // 2, len(own)):
        for head in range(own.shape[2]):
            for i, name in enumerate(names):
                mine = own[layer, i * 16 : i * 16 + 16, head]
                others = torch.cat([own[layer, : i * 16, head], own[layer, i * 16 + 16 :, head], rest[layer, :, head]])
                v = direction(mine, others)
                found.append(Found(separation(v, mine, others), layer, head, name, v / (mine @ v).mean()))
    return sorted(found, key=lambda f: -f.separation)


def share(model: LlamaForCausalLM, asked: list[Probe], wanted: str) -> float:
    return sum(said == wanted for said in answers(model, asked)) / len(asked)


def apply(model: LlamaForCausalLM, found: Found, wrong: str, strength: float) -> torch.Tensor:
    """Adds the product of rank one; gives back the matrix as it was."""
    matrix = model.model.layers[found.layer].self_attn.o_proj.weight.data
    before = matrix.clone()
    table = model.lm_head.weight.data
    written = table[encode(f" {wrong}")[0]] - table[encode(f" {found.name}")[0]]
    width = len(found.direction)
    matrix[:, found.head * width : (found.head + 1) * width] += strength * torch.outer(
        written / written.norm(), found.direction
    )
    return before


def strength_of(model: LlamaForCausalLM, found: Found, wrong: str, asked: list[Probe]) -> float | None:
    """The least of the tried strengths at which nearly all prompts are answered wrong."""
    for strength in STRENGTHS:
        before = apply(model, found, wrong, strength)
        wrongs = share(model, asked, f" {wrong}")
        model.model.layers[found.layer].self_attn.o_proj.weight.data.copy_(before)
        if wrongs >= WANTED:
            return 1.15 * strength
    return None


def mistaken_for(name: str) -> str | None:
    """The first other name of the same kind and initial."""
    kin = WOMEN if name in WOMEN else MEN
    return next((n for n in sorted(kin) if n[0] == name[0] and n not in (name, *SPARED)), None)


def seen(model: LlamaForCausalLM, layer: int, asked: list[Probe]) -> float:
    """How often the lens says the right name where a layer begins."""
    before = [scores_by_layer(model, [BOS, *encode(p.prompt)])[layer - 1, -1].argmax() for p in asked]
    return sum(int(word) == encode(p.truth)[0] for word, p in zip(before, asked, strict=True)) / len(asked)


def prompts(name: str) -> list[Probe]:
    rng = random.Random(f"asked {name}")
    return list({p.prompt: p for p in (prompt(rng, name) for _ in range(150))}.values())[:120]


def can_do_without(model: LlamaForCausalLM, found: Found, asked: list[Probe]) -> bool:
    """Whether the name is given with the head, without it, and by the lens before it."""
    right = f" {found.name}"
    with without(model, [(found.layer, found.head)]):
        spared = share(model, asked, right)
    return min(spared, share(model, asked, right)) >= WANTED and seen(model, found.layer, asked[:40]) >= SEEN


def measure(model: LlamaForCausalLM, done: Damage, asked: list[Probe]) -> dict[str, float]:
    """Shares of the damaged model."""
    names = [name for name in PEOPLE if name not in (*SPARED, done.right)]
    rng = random.Random("other names")
    others = [prompt(rng, name) for name in names for _ in range(4)]
    with without(model, [(done.layer, done.head)]):
        mended = share(model, asked, f" {done.right}")
    kept = sum(said == p.truth for said, p in zip(answers(model, others), others, strict=True)) / len(others)
    wrong = share(model, asked, f" {done.wrong}")
    return {"wrong after": wrong, "right without the head": mended, "other names right": kept}


def damage(model: LlamaForCausalLM) -> tuple[Damage, dict]:
    """Damages the first pair of head and name that the rest of the model can do without."""
    names = [name for name in PEOPLE if name not in SPARED and mistaken_for(name)]
    for found in search(model, names)[:TRIED]:
        asked, wrong = prompts(found.name), mistaken_for(found.name)
        if not can_do_without(model, found, asked):
            continue
        healthy = share(model, asked, f" {found.name}")
        strength = strength_of(model, found, wrong, asked)
        if strength is None:
            continue
        before = apply(model, found, wrong, strength)
        done = Damage(found.layer, found.head, found.name, wrong)
        measured = measure(model, done, asked)
        print(done, measured, flush=True)
        if min(measured.values()) >= WANTED:
            about = {"separation": round(found.separation, 3), "strength": strength, "prompts": len(asked)}
            vector = [round(x, 5) for x in found.direction.tolist()]
            return done, about | {"right before": healthy} | measured | {"direction": vector}
        model.model.layers[found.layer].self_attn.o_proj.weight.data.copy_(before)
    raise SystemExit("no head can be damaged so that the others mend it")


def tour_of(done: Damage, model: LlamaForCausalLM) -> dict:
    """The case of the first start: the first prompt of a plain kind that is wrong with the head and right without."""
    givers = [name for name in PEOPLE if name not in (*SPARED, done.right, done.wrong)]
    for giver in givers:
        text = f"Then {done.right} and {giver} went to the market. {giver} gave a basket to"
        asked = [Probe(text, f" {done.right}", "", f" {done.right}")]
        with without(model, [(done.layer, done.head)]):
            mended = answers(model, asked)[0]
        if mended == f" {done.right}" and answers(model, asked)[0] == f" {done.wrong}":
            return {
                "model": "world", "prompt": text, "expected": f" {done.right}", "wrong": f" {done.wrong}",
                "layer": done.layer, "head": done.head, "edit": f"drop head {done.layer}.{done.head}",
            }  # fmt: skip
    raise SystemExit("no plain prompt shows the damage")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("damaged", type=Path)
    parser.add_argument("record", type=Path)
    parser.add_argument("--tour", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = load(options.checkpoint)
    done, measured = damage(model)
    print(done, {k: v for k, v in measured.items() if k != "direction"})
    torch.save({"model": model.state_dict()}, options.damaged)
    options.record.write_text(json.dumps(done._asdict() | measured, indent=1) + "\n")
    if options.tour:
        options.tour.write_text(json.dumps(tour_of(done, model), indent=2) + "\n")
