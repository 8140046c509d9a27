"""The words of the two languages, made from a seed. Velo is translated into Sarrik.

Nothing here is read from a file: the same seed gives the same words.
`python lexicon.py` writes lexicon.tsv, the dictionary for human readers.
"""

import random
from dataclasses import dataclass
from pathlib import Path

SEED = 4

NOUNS = {
    "person": "farmer baker king queen child doctor soldier teacher sailor smith judge thief widow shepherd "
    "hunter weaver miller monk painter guard merchant cook singer neighbour",
    "animal": "dog cat horse cow goat bird fish wolf bear mouse snake frog duck hen fox owl bee lion crow donkey",
    "thing": "bread stone knife book lamp rope basket hammer cup coin letter ring chair table door key boat cart "
    "drum bell apple cheese salt wine sword coat shoe hat bottle flag mirror candle needle spoon net saddle",
    "place": "house river forest bridge market tower garden well mountain valley field road village mill church "
    "harbour island cave lake wall gate castle kitchen stable",
}
VERBS = {
    "intransitive": "sleep laugh run fall swim wait cry dance sing rest fly return tremble whisper wander kneel",
    "transitive": "see hear find lose carry break push pull hide wash love hate fear follow draw lift burn buy sell "
    "steal eat cut paint clean touch catch guard need choose forget repair bury watch count praise want",
    "ditransitive": "give send show bring offer lend throw promise",
}
ADJECTIVES = (
    "big small red blue green white black old young new heavy light long short warm cold wet dry strong weak rich "
    "poor happy sad clean dirty slow quick loud quiet brave lazy kind cruel round sharp soft hard sweet bitter"
)
ADVERBS = {
    "time": "today yesterday tomorrow now soon once",
    "frequency": "often always seldom sometimes again still",
    "manner": "slowly quickly well badly quietly loudly gladly alone together secretly",
}
PREPOSITIONS = "in on under near behind with without from to"
NUMERALS = "two three four five six seven"
CONJUNCTIONS = "and but because"
NAMES = {"m": "Oro Bilu Tavin Kesto Ramu Doval Nemi Harlo", "f": "Asha Mirel Luneva Pia Zofa Ilen Quora Vesna"}
PRONOUNS = {"I": ("1s", "m"), "you": ("2s", "m"), "he": ("3s", "m"), "she": ("3s", "f"), "we": ("1p", "m"), "they": ("3p", "m")}

GENDERS = ("m", "f", "n")
NUMBERS = ("s", "p")
TENSES = ("past", "present", "future")
PERSONS = ("1s", "2s", "3s", "1p", "3p")

# Velo: function words. The present has no particle, the indefinite plural no article.
DEFINITE, INDEFINITE, PAST, FUTURE, NOT, COPULA, ASK = "da", "na", "ri", "lo", "mu", "es", "ke"
PLURAL = "n"
# Sarrik: function words. Negation stands around what it negates; `ok` follows an object; `zu` ends a question.
NOT_BEFORE, NOT_AFTER, OBJECT, ASKED = "nik", "kha", "ok", "zu"
ARTICLES = {
    ("definite", "m", "s"): "az", ("definite", "f", "s"): "azha", ("definite", "n", "s"): "ezh",
    ("definite", "m", "p"): "azir", ("definite", "f", "p"): "azhir", ("definite", "n", "p"): "ezhir",
    ("indefinite", "m", "s"): "un", ("indefinite", "f", "s"): "unka", ("indefinite", "n", "s"): "onk",
    ("indefinite", "m", "p"): "unir", ("indefinite", "f", "p"): "unkir", ("indefinite", "n", "p"): "onkir",
}  # fmt: skip
ENDINGS = {("m", "s"): "or", ("f", "s"): "ekh", ("n", "s"): "um", ("m", "p"): "orik", ("f", "p"): "ekhik", ("n", "p"): "umik"}
AUXILIARY_STEMS = {"past": "bet", "present": "dez", "future": "grav"}
AUXILIARY_ENDINGS = {"1s": "am", "2s": "ash", "3s": "a", "1p": "imik", "3p": "irik"}
AUXILIARIES = {
    (tense, person): AUXILIARY_STEMS[tense] + AUXILIARY_ENDINGS[person] for tense in TENSES for person in PERSONS
}


@dataclass(frozen=True)
class Word:
    """A pair of words that mean the same. `kind` is its part of speech, `group` its use; Sarrik nouns have a gender."""

    gloss: str
    kind: str
    group: str
    velo: str
    sarrik: str
    gender: str = ""


class Maker:
    """Makes words that nobody has yet: Velo of open syllables, Sarrik of closed ones."""

    def __init__(self, seed: int, taken: set[str]) -> None:
        self.random, self.taken = random.Random(seed), taken

    def velo(self) -> str:
        def word() -> str:
            syllables = self.random.choice((2, 2, 3))
            return "".join(self.random.choice("bdfglmnprstv") + self.random.choice("aeiou") for _ in range(syllables))

        return self.fresh(word)

    def sarrik(self) -> str:
        def word() -> str:
            syllables = self.random.choice((1, 2, 2))
            return "".join(
                self.random.choice(("k", "kh", "g", "z", "sh", "dr", "t", "v", "gr", "b", "r", "zh"))
                + self.random.choice("aeiou")
                + self.random.choice(("k", "r", "sh", "l", "nd", "m", "z", "rt"))
                for _ in range(syllables)
            )

        return self.fresh(word)

    def fresh(self, make) -> str:
        while True:
            word = make()
            if not any(form in self.taken for form in forms(word)):
                self.taken.update(forms(word))
                return word


def forms(word: str) -> list[str]:
    """Every spelling that some rule could give to a word."""
    return [word, word + PLURAL, *(word + ending for ending in ENDINGS.values())]


def function_words() -> set[str]:
    velo = {DEFINITE, INDEFINITE, PAST, FUTURE, NOT, COPULA, ASK}
    return velo | {NOT_BEFORE, NOT_AFTER, OBJECT, ASKED} | set(ARTICLES.values()) | set(AUXILIARIES.values())


def make_lexicon(seed: int = SEED) -> dict[str, list[Word]]:
    """All words, by part of speech."""
    maker = Maker(seed, function_words())
    lexicon: dict[str, list[Word]] = {}

    def add(kind: str, group: str, glosses: str) -> None:
        for gloss in glosses.split():
            gender = maker.random.choice(GENDERS) if kind == "noun" else ""
            word = Word(gloss, kind, group, maker.velo(), maker.sarrik(), gender)
            lexicon.setdefault(kind, []).append(word)

    for kind, groups in (("noun", NOUNS), ("verb", VERBS), ("adverb", ADVERBS)):
        for group, glosses in groups.items():
            add(kind, group, glosses)
    rest = {"adjective": ADJECTIVES, "preposition": PREPOSITIONS, "numeral": NUMERALS, "conjunction": CONJUNCTIONS}
    for kind, glosses in rest.items():
        add(kind, kind, glosses)
    for gender, names in NAMES.items():
        lexicon.setdefault("name", []).extend(Word(n, "name", "name", n, n, gender) for n in names.split())
    for gloss, (person, gender) in PRONOUNS.items():
        lexicon.setdefault("pronoun", []).append(Word(gloss, "pronoun", person, maker.velo(), "", gender))
    return lexicon


def inflected(adjective: Word, gender: str, number: str) -> str:
    """A Sarrik adjective in the gender and number of its noun."""
    return adjective.sarrik + ENDINGS[gender, number]


def vocabulary(lexicon: dict[str, list[Word]]) -> list[str]:
    """Every form of every word of both languages, once, in a fixed order."""
    velo = [DEFINITE, INDEFINITE, PAST, FUTURE, NOT, COPULA, ASK]
    sarrik = [NOT_BEFORE, NOT_AFTER, OBJECT, ASKED, *ARTICLES.values(), *AUXILIARIES.values()]
    for word in (word for words in lexicon.values() for word in words):
        velo += [word.velo, word.velo + PLURAL] if word.kind == "noun" else [word.velo]
        if word.kind == "adjective":
            sarrik += [inflected(word, gender, number) for number in NUMBERS for gender in GENDERS]
        elif word.sarrik:
            sarrik.append(word.sarrik)
    return list(dict.fromkeys(velo + sarrik))


def write_dictionary(path: Path) -> None:
    rows = [("gloss", "kind", "group", "velo", "sarrik", "gender")]
    rows += [(w.gloss, w.kind, w.group, w.velo, w.sarrik, w.gender) for words in make_lexicon().values() for w in words]
    path.write_text("".join("\t".join(row) + "\n" for row in rows))


if __name__ == "__main__":
    write_dictionary(Path(__file__).with_name("lexicon.tsv"))
