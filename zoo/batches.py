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
    """A text; for each id how much it counts as something to foretell, the bridge that leads to it and its owner (PAD:
    none), and where the first hop and the second find what follows it (-1: nowhere)."""

    ability: int
    ids: list[int]
    weights: list[float]
    bridges: list[int]
    owners: list[int]
    looks: tuple[list[int], list[int]]


class Batch(NamedTuple):
    """Rows of like length, padded at the end."""

    ids: torch.Tensor
    weights: torch.Tensor
    bridges: torch.Tensor
    owners: torch.Tensor
    looks: tuple[torch.Tensor, torch.Tensor]
    abilities: torch.Tensor


def row(ability: str, marked: str) -> Row:
    ids, weights, bridges, owners = [BOS], [0.0], [PAD], [PAD]
    for part in parse(marked):
        written = encode(part.text)
        ids += written
        weights += [WEIGHTS[part.kind]] * len(written)
        bridges += (encode(part.bridge) or (PAD,)) * len(written)
        owners += (encode(part.owner) or (PAD,)) * len(written)
    ids, weights, bridges, owners = [*ids, EOS], [*weights, WEIGHTS["plain"]], [*bridges, PAD], [*owners, PAD]
    return Row(ABILITIES.index(ability), ids, weights, bridges, owners, looks_of(ids, weights, bridges, owners))


def looks_of(ids: list[int], weights: list[float], bridges: list[int], owners: list[int]) -> tuple[list[int], list[int]]:
    """For each place before an answer, where to look: at what belongs to who is asked for; with two hops, from there at
    what belongs to that."""
    first, second = [-1] * len(ids), [-1] * len(ids)
    asks = [at for at, weight in enumerate(weights[1:]) if weight == WEIGHTS["answer"]]
    for ask in asks:
        owned = {owners[i]: i for i in range(ask) if owners[i] != PAD and i not in asks}  # what was told last stands
        asked_for = owners[ask] if owners[ask] != PAD else ids[ask]
        bridge = bridges[ask + 1]
        found = owned.get(asked_for, -1)
        if found >= 0 and ids[found] == (ids[ask + 1] if bridge == PAD else bridge):  # else a mistake is taught
            first[ask] = found
        if bridge != PAD:
            second[ask] = owned[bridge]
    return first, second


def padded(rows: list[Row]) -> Batch:
    width = max(len(r.ids) for r in rows)
    fill = lambda row, value: row + [value] * (width - len(row))  # noqa: E731
    ids = torch.tensor([fill(r.ids, PAD) for r in rows])
    weights = torch.tensor([fill(r.weights, 0.0) for r in rows])
    bridges = torch.tensor([fill(r.bridges, PAD) for r in rows])
    owners = torch.tensor([fill(r.owners, PAD) for r in rows])
    first, second = (torch.tensor([fill(r.looks[hop], -1) for r in rows]) for hop in (0, 1))
    return Batch(ids, weights, bridges, owners, (first, second), torch.tensor([r.ability for r in rows]))


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
