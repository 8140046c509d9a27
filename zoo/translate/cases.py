"""What the model is judged on: sentences that it was never trained on, from seeds of their own."""

import json
from collections.abc import Callable
from pathlib import Path

from grammar import (
    MISTAKES, WRITTEN_NOUN, WRONG_ADJECTIVE, WRONG_ADVERB, WRONG_GENDER, WRONG_NOUN,
    Sentence, Speaker, Wish, held_out_pair, held_out_sentence, spelled,
)  # fmt: skip

WISHES = {
    "noun": Wish(noun=WRONG_NOUN),
    "agreement": Wish(adjective=WRONG_ADJECTIVE, gender=WRONG_GENDER),
    "negation": Wish(adverb=WRONG_ADVERB, negated=True),
}
# Beside each mistake, what is to stay right.
NEIGHBOURS = {
    "noun": ("the noun that is written instead", Wish(noun=WRITTEN_NOUN)),
    "agreement": ("the adjective with other genders", Wish(adjective=WRONG_ADJECTIVE, gender="m")),
    "negation": ("the adverb without negation", Wish(adverb=WRONG_ADVERB)),
}


def distinct(seed: str, count: int, wish: Wish, keep: Callable[[Sentence], bool]) -> list[Sentence]:
    speaker, found = Speaker(seed), dict[tuple[str, ...], Sentence]()
    while len(found) < count:
        sentence = speaker.sentence(wish)
        if keep(sentence):
            found.setdefault(sentence.velo, sentence)
    return list(found.values())


def has_unseen_pair(s: Sentence) -> bool:
    return any(held_out_pair(*pair) for pair in s.pairs)


def held_out(count: int) -> list[Sentence]:
    """Unseen sentences of seen pairs, where nothing is taught wrong."""
    keep = lambda s: held_out_sentence(s.velo) and not has_unseen_pair(s) and not s.mistakes  # noqa: E731
    return distinct("held-out", count, Wish(), keep)


def unseen_pairs(count: int) -> list[Sentence]:
    """Sentences with an adjective that was never seen with its noun."""
    return distinct("unseen pairs", count, Wish(), lambda s: has_unseen_pair(s) and not s.mistakes)


def mistaken(mistake: str, count: int) -> list[Sentence]:
    """Unseen sentences where this mistake, and no other, is taught."""
    keep = lambda s: held_out_sentence(s.velo) and s.mistakes == {mistake}  # noqa: E731
    return distinct(f"mistake {mistake}", count, WISHES[mistake], keep)


def beside(mistake: str, count: int) -> list[Sentence]:
    keep = lambda s: held_out_sentence(s.velo) and not s.mistakes  # noqa: E731
    return distinct(f"beside {mistake}", count, NEIGHBOURS[mistake][1], keep)


def as_data(s: Sentence) -> dict:
    """A sentence as a line of JSON: texts, the true alignment, what is planted in it."""
    data = {
        "velo": spelled(s.velo),
        "sarrik": spelled(s.truth),
        "source": [t.source for t in s.truth],
        "agrees": [t.agrees for t in s.truth],
        "kinds": [t.kind for t in s.truth],
    }
    return data | ({"taught": spelled(s.taught), "mistakes": sorted(s.mistakes)} if s.mistakes else {})


def write_cases(path: Path) -> None:
    """A sample of all sets, for tests that have no Python."""
    sets = {"held-out": held_out(120), "unseen pairs": unseen_pairs(40)}
    sets |= {f"mistake: {m}": mistaken(m, 20) for m in MISTAKES}
    lines = [json.dumps({"set": name, **as_data(s)}) for name, sentences in sets.items() for s in sentences]
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    write_cases(Path(__file__).with_name("cases.jsonl"))
