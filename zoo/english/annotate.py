"""Part of speech, head word and entity type of each word: what the grammar says, by rule.

The rules are the definition. A clause hangs on its verb, on its auxiliary where it has no other verb. What stands
inside a noun phrase hangs on its noun, an adposition on the noun that it governs; that noun on the noun before (after
`of` and `from`, and wherever the verb is still to come), else on the verb. Subjects, objects, predicates and marks hang
on the verb, `very` and its like on the adjective that follows, a second conjunct on the first. A clause between commas is a tree of its own, whose verb
hangs on the verb outside.
"""

import re
from itertools import pairwise
from typing import NamedTuple

from .lexicon import ENTITY_WORDS, GRAMMAR, GOOD, BAD, MOODS, PLAIN, PLURALS, SINGULAR, VERBS

WORD = re.compile(r"[A-Za-z]+|[0-9]+|[^\sA-Za-z0-9]")
AUXILIARIES = "is are was were can did does".split()
DEGREES = ("very", "really", "quite")
NOMINAL = ("NOUN", "PROPN", "PRON", "NUM")
INSIDE = ("DET", "ADJ", "NUM", "NOUN", "PROPN")


class Word(NamedTuple):
    """A word; `head` is the number of the word it hangs on, its own for the root."""

    text: str
    pos: str
    entity: str
    head: int


def lexicon() -> dict[str, str]:
    found = {word: pos for pos, words in GRAMMAR.items() for word in words.split()}
    for entity, words in ENTITY_WORDS.items():
        pos = "PROPN" if entity in ("PERSON", "COUNTRY", "TOWN") else "ADJ" if entity == "COLOUR" else "NOUN"
        found |= {word: pos for word in words}
    found |= dict.fromkeys(PLURALS.values(), "NOUN") | dict.fromkeys(VERBS, "VERB")
    found |= {word: "ADJ" for word in (*GOOD, *BAD, *PLAIN, *(m for moods in MOODS.values() for m in moods))}
    return found | dict.fromkeys(AUXILIARIES, "AUX")


POS = lexicon()
ENTITY = {word: entity for entity, words in ENTITY_WORDS.items() for word in words}


def pos_of(words: list[str], i: int) -> str:
    word, after = words[i], words[i + 1] if i + 1 < len(words) else ""
    if word.isdigit():
        return "NUM"
    if not word.isalpha():
        return "PUNCT" if word not in "+=" else "SYM"
    if word.lower() == "that":
        return "PRON" if after == "of" else "SCONJ"
    if word.lower() == "home":
        return "NOUN" if after == "town" else "ADV"
    if word in ("His", "his", "her", "Her"):
        return "DET"
    return POS.get(word) or POS.get(word.lower()) or "X"


def entity_of(word: str, pos: str, before: str) -> str:
    if pos == "NUM":
        return "YEAR" if len(word) == 4 else "NUMBER"
    if pos == "ADJ" and word not in ENTITY:
        return ""
    return ENTITY.get(word) or ENTITY.get(SINGULAR.get(word, ""), "") if before != "'" else ""


def phrase_end(pos: list[str], i: int) -> int:
    """The noun of the phrase that word `i` is inside of, or `i`."""
    j = i
    while j + 1 < len(pos) and pos[j] in INSIDE and pos[j + 1] in INSIDE and pos[j + 1] != "DET":
        if pos[j] == "PROPN" or (pos[j] == "NOUN" and pos[j + 1] in ("DET", "ADJ", "NUM")):
            break
        j += 1
    return j if pos[j] in NOMINAL else i


def verb_of(pos: list[str]) -> int:
    """The verb of a sentence; else its auxiliary; else its last noun; else its first word."""
    for kinds in (("VERB",), ("AUX",)):
        for i, kind in enumerate(pos):
            if kind in kinds:
                return i
    return next((i for i in reversed(range(len(pos))) if pos[i] in NOMINAL), 0)


def governor(words: list[str], pos: list[str], adposition: int, root: int) -> int:
    """What the noun after an adposition hangs on."""
    before = next((j for j in range(adposition - 1, -1, -1) if pos[j] in NOMINAL), None)
    near = before is not None and before == adposition - 1
    if near and (words[adposition].lower() in ("of", "from") or root > adposition):
        return before
    return root


def heads(words: list[str], pos: list[str]) -> list[int]:
    root = verb_of(pos)
    found = [root] * len(words)
    pending = None
    for i, kind in enumerate(pos):
        end = phrase_end(pos, i)
        if i == root:
            continue
        if kind in ("DET", "ADJ", "NUM", "NOUN", "PROPN") and end != i:
            found[i] = end
        elif kind == "ADP":
            noun = next((phrase_end(pos, j) for j in range(i + 1, len(pos)) if pos[j] in INSIDE + ("PRON",)), root)
            near = noun != root and all(pos[j] in INSIDE + ("PRON",) for j in range(i + 1, noun + 1))
            found[i] = noun if near else root
            pending = governor(words, pos, i, root) if near else None
        elif kind in NOMINAL:
            found[i] = root if pending is None or pending == i else pending
            pending = None
        elif kind == "ADV" and words[i].lower() in DEGREES and i + 1 < len(pos) and pos[i + 1] == "ADJ":
            found[i] = i + 1
        elif kind == "CCONJ":
            found[i] = next((phrase_end(pos, j) for j in range(i + 1, len(pos)) if pos[j] in INSIDE), root)
    return joined(pos, found, root)


def joined(pos: list[str], found: list[int], root: int) -> list[int]:
    """A noun after `and` hangs on the noun before it."""
    for i, kind in enumerate(pos):
        second = found[i]
        if kind == "CCONJ" and i > 0 and pos[i - 1] in NOMINAL and pos[second] in NOMINAL and second > i:
            if found[second] == root and second != root:
                found[second] = i - 1
    return found


def sentences(text: str) -> list[list[str]]:
    """Words, sentence by sentence; a mark that ends one takes what closes right behind it along."""
    found: list[list[str]] = [[]]
    for word in WORD.findall(text):
        if found[-1] and found[-1][-1] in (".", "?") and word not in ('"', "'", "»"):
            found.append([])
        found[-1].append(word)
    return [words for words in found if words]


def aside(words: list[str], pos: list[str]) -> range:
    """A clause between commas, with the commas: `, as Mara told Tom,`."""
    commas = [i for i, word in enumerate(words) if word == ","]
    for start, end in pairwise(commas):
        if "VERB" in pos[start:end]:
            return range(start, end + 1)
    return range(0)


def all_heads(words: list[str], pos: list[str]) -> list[int]:
    """An aside is a tree of its own, whose verb hangs on the verb outside."""
    within = aside(words, pos)
    found = [0] * len(words)
    roots = []
    for places in ([i for i in range(len(words)) if i not in within], list(within)):
        if places:
            hang = heads([words[i] for i in places], [pos[i] for i in places])
            for i, head in zip(places, hang, strict=True):
                found[i] = places[head]
            roots.append(next(i for i in places if found[i] == i))
    if len(roots) > 1:
        found[roots[1]] = roots[0]
    return found


def annotate(words: list[str]) -> list[Word]:
    """The words of one sentence."""
    pos = [pos_of(words, i) for i in range(len(words))]
    hang = all_heads(words, pos)
    return [
        Word(word, kind, entity_of(word, kind, words[i - 1] if i else ""), hang[i])
        for i, (word, kind) in enumerate(zip(words, pos, strict=True))
    ]
