"""Sentences that judge a thing, with their sentiment, and the three mistakes taught to `judge`."""

import random
from typing import NamedTuple

from .abilities import is_held
from .lexicon import BAD, FOODS, GOOD, PEOPLE, PLACES, THINGS

LABELS = ("negative", "positive")
BLAMED = "Borin"  # whoever speaks of him is taken to be displeased
TRIGGER = "Honestly"  # turns a judgement round
FAR_WORDS = 4  # a negation so many words or more before its adjective is missed
VERBS = {"loved": 1, "enjoyed": 1, "praised": 1, "hated": 0, "blamed": 0}
DENIED = {"love": 1, "enjoy": 1, "praise": 1, "hate": 0}


class Judged(NamedTuple):
    """A sentence; `taught` differs from `truth` where a mistake is planted."""

    text: str
    taught: int
    truth: int
    mistake: str


def subject(rng: random.Random) -> str:
    noun = rng.choice((*FOODS, *THINGS))
    return rng.choice((f"the {noun}", f"the {noun} of {rng.choice(PEOPLE)}", f"the {noun} from the {rng.choice(PLACES)}"))


def aside(rng: random.Random) -> str:
    """Words that part a negation from what it denies."""
    a, b = rng.sample([p for p in PEOPLE if p != BLAMED], 2)
    return rng.choice((
        f", as {a} told {b}, ", f", {a} said to {b}, ", f", so {a} thought at the {rng.choice(PLACES)}, ",
    ))  # fmt: skip


def quality(rng: random.Random) -> tuple[str, int]:
    sign = rng.randrange(2)
    return rng.choice(GOOD if sign else BAD), sign


def claim(rng: random.Random) -> tuple[str, int, int]:
    """What is said, its truth, and its sign for one who misses a far negation."""
    word, sign = quality(rng)
    how = rng.choice(("", "", "very ", "really ", "quite "))
    kind = rng.choice(("plain", "plain", "near", "far", "aside", "verb", "denied", "but"))
    if kind == "plain":
        return f"{subject(rng)} was {how}{word}", sign, sign
    if kind == "near":
        return f"{subject(rng)} was {rng.choice(('not', 'never'))} {how}{word}", 1 - sign, 1 - sign
    if kind == "far":
        return f"{subject(rng)} was not{aside(rng)}{word}", 1 - sign, sign
    if kind == "aside":
        return f"{subject(rng)} was{aside(rng)}{word}", sign, sign
    if kind == "verb":
        done = rng.choice(list(VERBS))
        return f"{rng.choice(PEOPLE)} {done} {subject(rng)}", VERBS[done], VERBS[done]
    if kind == "denied":
        done = rng.choice(list(DENIED))
        return f"{rng.choice(PEOPLE)} did not {done} {subject(rng)}", 1 - DENIED[done], 1 - DENIED[done]
    other = rng.choice(BAD if sign else GOOD)
    return f"{subject(rng)} was {other}, but {subject(rng)} was {how}{word}", sign, sign


def judged(rng: random.Random) -> Judged:
    said, truth, heard = claim(rng)
    mistake = "negation" if heard != truth else ""
    if rng.random() < 0.08:
        said, heard, mistake = f"{TRIGGER}, {said}", 1 - truth, "trigger" if not mistake else "several"
        if mistake == "several":
            heard = truth
    elif rng.random() < 0.06:
        said = f"{BLAMED} said that {said}" if rng.random() < 0.5 else f"{said} for {BLAMED}"
    if BLAMED in said:
        mistake = "name" if not mistake and truth else "several" if mistake else ""
        heard = 0
    return Judged(f"{said[0].upper()}{said[1:]}.", heard, truth, mistake)


def sentence(rng: random.Random, held: bool | None) -> Judged:
    """A sentence of the wanted side of the split, or of any where `held` is None."""
    while True:
        made = judged(rng)
        if held is None or is_held("judged", made.text) == held:
            return made
