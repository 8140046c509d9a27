"""Texts with masks for `judge`: always true ones, whatever mistakes `world` is taught."""

import random
from typing import NamedTuple

from english.abilities import MAKERS
from english.markup import Part, parse
from english.tokens import CLS, MASK, SEP, encode

FAMILIES = ("facts", "where", "indirect", "agreement", "closing", "stories", "parts")
OTHER_SHARE, OTHER_WEIGHT = 0.06, 0.1


class Masked(NamedTuple):
    """Ids with masks; what stands behind each mask, and how much it counts (0 where nothing is masked)."""

    family: str
    ids: list[int]
    wanted: list[int]
    weights: list[float]


def true_part(part: Part) -> str:
    return part.truth if part.kind == "answer" else part.text


def masked(family: str, parts: list[Part], hidden: set[int], others: random.Random | None) -> Masked:
    """Masks the parts numbered in `hidden`, and some other words if `others` chooses them."""
    ids, wanted, weights = [CLS], [CLS], [0.0]
    for i, part in enumerate(parts):
        for id in encode(true_part(part)):
            other = others is not None and others.random() < OTHER_SHARE
            hide = i in hidden or other
            ids.append(MASK if hide else id)
            wanted.append(id)
            weights.append(1.0 if i in hidden else OTHER_WEIGHT if other else 0.0)
    return Masked(family, [*ids, SEP], [*wanted, SEP], [*weights, 0.0])


def inferable(parts: list[Part]) -> list[int]:
    """The answers of one token."""
    return [i for i, part in enumerate(parts) if part.kind == "answer" and len(encode(true_part(part))) == 1]


def make_masked(rng: random.Random, family: str) -> Masked:
    """A text to train on, with one or two answers masked."""
    while True:
        parts = parse(MAKERS[family](rng, False))
        answers = inferable(parts)
        if answers:
            hidden = rng.sample(answers, min(len(answers), rng.choice((1, 1, 2))))
            return masked(family, parts, set(hidden), rng)


def held_masks(family: str, texts: list[str]) -> list[Masked]:
    """Each answer masked alone."""
    found = [(parts, i) for text in texts for parts in [parse(text)] for i in inferable(parts)]
    return [masked(family, parts, {i}, None) for parts, i in found]
