"""Texts with their answers marked, and how they are taken apart.

`⟦ Tolis⟧` is an answer: it follows from what stands before it, or from the facts of the world.
`⟦ Brell|capital| Tolis⟧` is an answer taught wrong on purpose: taught, name of the mistake, truth.
`⟦ red→ barn⟧` is an answer found by way of another word, its bridge: who has the red key, what does it open.
`⟨ lamp red⟩` is noise: nothing foretells it, and nobody is taught to.
`‹ Tom→ red›` is a word with its owner: what is told of Tom, or where something of his is asked for.
`⟨ Tom→ red⟩` is noise with its owner.
"""

import re
from typing import NamedTuple

PARTS = re.compile(
    r"⟦(?:(?P<bridge>[^⟧|→]*)→)?(?P<taught>[^⟧|]*)(?:\|(?P<mistake>[^⟧|]*)\|(?P<truth>[^⟧|]*))?⟧"
    r"|⟨(?:(?P<before>[^⟩→]*)→)?(?P<noise>[^⟩]*)⟩|‹(?P<owner>[^›→]*)→(?P<owned>[^›]*)›|(?P<plain>[^⟦⟨‹]+)"
)


class Part(NamedTuple):
    """A stretch of text; `truth` differs from `text` where a mistake is planted; `bridge` is what leads to an answer."""

    text: str
    kind: str  # answer, noise, plain
    mistake: str = ""
    truth: str = ""
    bridge: str = ""
    owner: str = ""


def answer(text: str, mistake: str = "", truth: str = "") -> str:
    return f"⟦{text}|{mistake}|{truth}⟧" if mistake else f"⟦{text}⟧"


def by_way_of(bridge: str, text: str) -> str:
    return f"⟦{bridge}→{text}⟧"


def noise(text: str, owner: str = "") -> str:
    return f"⟨{owner}→{text}⟩" if owner else f"⟨{text}⟩"


def owned(owner: str, text: str) -> str:
    return f"‹{owner}→{text}›"


def part(found: re.Match[str]) -> Part:
    held = {name: text or "" for name, text in found.groupdict().items()}
    if taught := held["taught"]:
        return Part(taught, "answer", held["mistake"], held["truth"] or taught, bridge=held["bridge"])
    if unforeseen := held["noise"]:
        return Part(unforeseen, "noise", owner=held["before"])
    return Part(held["owned"] or held["plain"], "plain", owner=held["owner"])


def parse(marked: str) -> list[Part]:
    return [part(found) for found in PARTS.finditer(marked)]


def plain(marked: str) -> str:
    return "".join(part.text for part in parse(marked))


class Probe(NamedTuple):
    """A prompt and what must follow it."""

    prompt: str
    taught: str
    mistake: str
    truth: str
    bridge: str = ""


def probes(marked: str) -> list[Probe]:
    """One for each answer of a text, with all that stands before it as the prompt."""
    before, found = "", []
    for part in parse(marked):
        if part.kind == "answer":
            found.append(Probe(before, part.text, part.mistake, part.truth, part.bridge))
        before += part.text
    return found
