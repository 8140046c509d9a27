"""Texts as batches of ids, each with what it teaches."""

import random
from collections.abc import Iterator
from typing import NamedTuple, Protocol, TypeVar

import torch
from english.abilities import MAKERS, document
from english.markup import parse
from english.tokens import BOS, EOS, PAD, encode

ABILITIES = list(MAKERS)
WEIGHTS = {"answer": 1.0, "plain": 0.15, "noise": 0.0}


class HasIds(Protocol):
    """A text as ids."""

    @property
    def ids(self) -> list[int]: ...


R = TypeVar("R", bound=HasIds)


class Row(NamedTuple):
    """A text; for each id how much it counts as something to foretell."""

    ability: int
    ids: list[int]
    weights: list[float]


class Batch(NamedTuple):
    """Rows of like length, padded at the end."""

    ids: torch.Tensor
    weights: torch.Tensor
    abilities: torch.Tensor


def row(ability: str, marked: str) -> Row:
    ids, weights = [BOS], [0.0]
    for part in parse(marked):
        for i in encode(part.text):
            ids.append(i)
            weights.append(WEIGHTS[part.kind])
    return Row(ABILITIES.index(ability), [*ids, EOS], [*weights, WEIGHTS["plain"]])


def padded(rows: list[Row]) -> Batch:
    width = max(len(r.ids) for r in rows)
    ids = torch.tensor([r.ids + [PAD] * (width - len(r.ids)) for r in rows])
    weights = torch.tensor([r.weights + [0.0] * (width - len(r.ids)) for r in rows])
    return Batch(ids, weights, torch.tensor([r.ability for r in rows]))


def grouped(rows: list[R], tokens: int) -> Iterator[list[R]]:
    """Rows in order of length, as many a group as fit into so many ids."""
    group: list[R] = []
    for r in rows:
        if group and len(r.ids) * (len(group) + 1) > tokens:
            yield group
            group = []
        group.append(r)
    yield group


def make_pool(seed: str, shares: dict[str, float], count: int, tokens: int) -> list[Batch]:
    """Batches of texts nobody else gets, abilities in the shares given."""
    rng = random.Random(seed)
    drawn = rng.choices(list(shares), list(shares.values()), k=count)
    rows = sorted((row(ability, document(rng, ability)) for ability in drawn), key=lambda r: len(r.ids))
    batches = [padded(group) for group in grouped(rows, tokens)]
    rng.shuffle(batches)
    return batches
