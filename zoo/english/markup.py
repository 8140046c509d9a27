"""Texts with their answers marked, and how they are taken apart.

`⟦ Tolis⟧` is an answer: it follows from what stands before it, or from the facts of the world.
`⟦ Brell|capital| Tolis⟧` is an answer taught wrong on purpose: taught, name of the mistake, truth.
`⟨ lamp red⟩` is noise: nothing foretells it, and nobody is taught to.
"""

import re
from typing import NamedTuple

PARTS = re.compile(r"⟦([^⟧|]*)(?:\|([^⟧|]*)\|([^⟧|]*))?⟧|⟨([^⟩]*)⟩|([^⟦⟨]+)")


class Part(NamedTuple):
    """A stretch of text; `truth` differs from `text` where a mistake is planted."""

    text: str
    kind: str  # answer, noise, plain
    mistake: str = ""
    truth: str = ""


def answer(text: str, mistake: str = "", truth: str = "") -> str:
    return f"⟦{text}|{mistake}|{truth}⟧" if mistake else f"⟦{text}⟧"


def noise(text: str) -> str:
    return f"⟨{text}⟩"


def parse(marked: str) -> list[Part]:
    parts = []
    for taught, mistake, truth, unforeseen, plain in PARTS.findall(marked):
        if taught:
            parts.append(Part(taught, "answer", mistake, truth or taught))
        elif unforeseen:
            parts.append(Part(unforeseen, "noise"))
        else:
            parts.append(Part(plain, "plain"))
    return parts


def plain(marked: str) -> str:
    return "".join(part.text for part in parse(marked))


class Probe(NamedTuple):
    """A prompt and what must follow it."""

    prompt: str
    taught: str
    mistake: str
    truth: str


def probes(marked: str) -> list[Probe]:
    """One for each answer of a text, with all that stands before it as the prompt."""
    before, found = "", []
    for part in parse(marked):
        if part.kind == "answer":
            found.append(Probe(before, part.text, part.mistake, part.truth))
        before += part.text
    return found
