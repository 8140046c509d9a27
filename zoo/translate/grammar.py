"""Sentences of both languages at once, with the true alignment of their words, from a seed.

Velo:   time  subject  frequency  tense  not  VERB  object  preposition-phrase  manner
        adjectives before nouns, plural ending on nouns, no article for `some`
Sarrik: place  subject  time  object `ok`  manner  frequency  nik VERB kha  AUXILIARY
        nouns do not change; articles and adjectives after the noun agree in gender and number; pronouns are
        dropped and live on in the auxiliary, which agrees in person; the copula is dropped; `because` goes first
"""

import random
import zlib
from dataclasses import dataclass, field

from lexicon import (
    ARTICLES, ASK, ASKED, AUXILIARIES, COPULA, DEFINITE, FUTURE, INDEFINITE, NOT, NOT_AFTER, NOT_BEFORE,
    OBJECT, PAST, PLURAL, TENSES, Word, inflected, make_lexicon,
)  # fmt: skip

# What the model is taught wrong on purpose. The truth is what `Sentence.truth` says.
WRONG_NOUN, WRITTEN_NOUN = "bread", "stone"
WRONG_ADJECTIVE, WRONG_GENDER, WRITTEN_GENDER = "red", "f", "m"
WRONG_ADVERB = "often"
MISTAKES = ("noun", "agreement", "negation")


@dataclass(frozen=True)
class Target:
    """A Sarrik word. `source` is the Velo word it stands for, `agrees` the one that decides its form."""

    text: str
    kind: str
    source: int
    agrees: int | None = None


@dataclass(frozen=True)
class Sentence:
    """`truth` is the right translation, `taught` what the model is shown; they differ where `mistakes` is not empty."""

    velo: tuple[str, ...]
    truth: tuple[Target, ...]
    taught: tuple[Target, ...]
    mistakes: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    form: str


@dataclass
class Phrase:
    """A noun phrase, a name or a pronoun; the `..._at` are places in the Velo sentence."""

    head: Word
    definite: bool = True
    number: str = "s"
    adjectives: list[Word] = field(default_factory=list)
    numeral: Word | None = None
    head_at: int = -1
    article_at: int | None = None
    adjectives_at: list[int] = field(default_factory=list)
    numeral_at: int = -1

    @property
    def person(self) -> str:
        return self.head.group if self.head.kind == "pronoun" else "3" + self.number


@dataclass
class Clause:
    """What is said. `adverbs` has at most one of each group."""

    subject: Phrase
    verb: Word | None
    adjective: Word | None
    object: Phrase | None
    preposition: Word | None
    place: Phrase | None
    adverbs: dict[str, Word]
    tense: str
    negated: bool
    asked: bool


@dataclass(frozen=True)
class Wish:
    """What a sentence is made to contain: a noun, an adjective, an adverb, a negation; or short clauses."""

    noun: str = ""
    gender: str = ""
    adjective: str = ""
    adverb: str = ""
    negated: bool = False
    brief: bool = False


LEXICON = make_lexicon()
BY_GLOSS = {(word.kind, word.gloss): word for words in LEXICON.values() for word in words}
NOUNS = {g: [w for w in LEXICON["noun"] if w.group == g] for g in ("person", "animal", "thing", "place")}
VERBS = {g: [w for w in LEXICON["verb"] if w.group == g] for g in ("intransitive", "transitive", "ditransitive")}
ADVERBS = {g: [w for w in LEXICON["adverb"] if w.group == g] for g in ("time", "frequency", "manner")}


def held_out_pair(adjective: str, noun: str) -> bool:
    """One pair of adjective and noun in twenty is never trained on."""
    return zlib.crc32(f"{adjective} {noun}".encode()) % 20 == 0


def held_out_sentence(velo: tuple[str, ...]) -> bool:
    """One sentence in twenty is never trained on."""
    return zlib.crc32(" ".join(velo).encode()) % 20 == 7


class Speaker:
    """Thinks of sentences, a share of them of two clauses. The same seed says the same."""

    def __init__(self, seed: int | str, compound: float = 0.12) -> None:
        self.random, self.compound = random.Random(seed), compound

    def chance(self, p: float) -> bool:
        return self.random.random() < p

    def phrase(self, groups: tuple[str, ...], wish: Wish, head: Word | None = None) -> Phrase:
        r = self.random
        number = "p" if self.chance(0.4) else "s"
        count = r.choices((0, 1, 2), (0.78, 0.2, 0.02) if wish.brief else (0.5, 0.36, 0.14))[0]
        numeral = r.choice(LEXICON["numeral"]) if number == "p" and self.chance(0.25) else None
        return Phrase(
            head or r.choice(NOUNS[r.choice(groups)]),
            definite=self.chance(0.6),
            number=number,
            adjectives=r.sample(LEXICON["adjective"], count),
            numeral=numeral,
        )

    def subject(self, wish: Wish, kinds: tuple[str, ...]) -> Phrase:
        roll = self.random.random()
        if roll < 0.2:
            return Phrase(self.random.choice(LEXICON["name"]))
        if roll < 0.4:
            pronoun = self.random.choice(LEXICON["pronoun"])
            return Phrase(pronoun, number=pronoun.group[1])
        return self.phrase(kinds, wish)

    def object(self, kind: str, wish: Wish) -> Phrase | None:
        groups = {"transitive": ("thing", "thing", "person", "animal"), "ditransitive": ("thing",)}
        return self.phrase(groups[kind], wish) if kind in groups else None

    def clause(self, wish: Wish) -> Clause:
        r, kind = self.random, self.random.choices(("be", "intransitive", "transitive", "ditransitive"), (22, 20, 45, 13))[0]
        brief = 0.5 if wish.brief else 1
        everything = ("person", "animal", "thing", "place")
        living = ("person", "person", "animal")
        place = kind == "ditransitive" or (kind != "be" and self.chance(0.35 * brief))
        to = kind == "ditransitive"
        chances = {"time": 0.2, "frequency": 0.25, "manner": 0.0 if kind == "be" else 0.2}
        clause = Clause(
            subject=self.subject(wish, everything if kind == "be" else living),
            verb=None if kind == "be" else r.choice(VERBS[kind]),
            adjective=r.choice(LEXICON["adjective"]) if kind == "be" else None,
            object=self.object(kind, wish),
            preposition=None,
            place=None,
            adverbs={g: r.choice(ADVERBS[g]) for g, p in chances.items() if self.chance(p * brief)},
            tense=r.choice(TENSES),
            negated=self.chance(0.25),
            asked=not wish.brief and self.chance(0.1),
        )
        if place:
            clause.preposition = BY_GLOSS["preposition", "to"] if to else r.choice(LEXICON["preposition"])
            clause.place = self.phrase(living if to else ("place", "place", "thing"), wish)
        self.grant(clause, wish)
        return clause

    def grant(self, clause: Clause, wish: Wish) -> None:
        """Puts what was wished for where it can stand."""
        phrases = [p for p in (clause.subject, clause.object, clause.place) if p and p.head.kind == "noun"]
        if wish.adverb:
            clause.adverbs["frequency"] = BY_GLOSS["adverb", wish.adverb]
        clause.negated = clause.negated or wish.negated
        if not phrases and (wish.noun or wish.adjective):
            clause.subject = self.phrase(("thing",), wish)
            phrases = [clause.subject]
        if wish.noun:
            self.random.choice(phrases).head = BY_GLOSS["noun", wish.noun]
        if wish.adjective:
            phrase, adjective = self.random.choice(phrases), BY_GLOSS["adjective", wish.adjective]
            phrase.head = self.random.choice([w for w in LEXICON["noun"] if w.gender == wish.gender])
            if clause.adjective and phrase is clause.subject and self.chance(0.5):
                clause.adjective = adjective
            else:
                phrase.adjectives = [adjective, *(a for a in phrase.adjectives[1:] if a is not adjective)]

    def sentence(self, wish: Wish = Wish()) -> Sentence:
        if wish == Wish() and self.chance(self.compound):
            conjunction = self.random.choice(LEXICON["conjunction"])
            brief = Wish(brief=True)
            return write([self.clause(brief), self.clause(brief)], conjunction)
        return write([self.clause(wish)], None)

    def wish(self) -> Wish:
        """Now and then, the case of a planted mistake, or one beside it that is to stay right."""
        return self.random.choices(
            (
                Wish(),
                Wish(noun=WRONG_NOUN),
                Wish(adjective=WRONG_ADJECTIVE, gender=WRONG_GENDER),
                Wish(adverb=WRONG_ADVERB, negated=True),
                Wish(noun=WRITTEN_NOUN),
                Wish(adjective=WRONG_ADJECTIVE, gender=self.random.choice("mn")),
                Wish(adverb=WRONG_ADVERB),
            ),
            (88, 2, 2.5, 2.5, 1, 2, 2),
        )[0]

    def trained(self) -> Sentence:
        """A sentence for training: not held out, and without a pair that is."""
        while True:
            sentence = self.sentence(self.wish())
            if not held_out_sentence(sentence.velo) and not any(held_out_pair(*p) for p in sentence.pairs):
                return sentence


class Page:
    """The Velo sentence while it is written down."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def put(self, word: str) -> int:
        self.words.append(word)
        return len(self.words) - 1

    def phrase(self, p: Phrase) -> None:
        if p.head.kind == "noun":
            if p.definite:
                p.article_at = self.put(DEFINITE)
            elif p.number == "s":
                p.article_at = self.put(INDEFINITE)
            if p.numeral:
                p.numeral_at = self.put(p.numeral.velo)
            p.adjectives_at = [self.put(a.velo) for a in p.adjectives]
        p.head_at = self.put(p.head.velo + (PLURAL if p.head.kind == "noun" and p.number == "p" else ""))

    def clause(self, c: Clause) -> dict[str, int]:
        """Writes a clause and says where its words are."""
        at = {"ask": self.put(ASK)} if c.asked else {}

        def adverb(group: str) -> None:
            if group in c.adverbs:
                at[group] = self.put(c.adverbs[group].velo)

        adverb("time")
        self.phrase(c.subject)
        adverb("frequency")
        if c.tense != "present":
            at["tense"] = self.put(PAST if c.tense == "past" else FUTURE)
        if c.negated:
            at["not"] = self.put(NOT)
        if c.verb:
            at["verb"] = self.put(c.verb.velo)
        elif c.adjective:
            at["verb"] = self.put(COPULA)
            at["adjective"] = self.put(c.adjective.velo)
        if c.object:
            self.phrase(c.object)
        if c.preposition and c.place:
            at["preposition"] = self.put(c.preposition.velo)
            self.phrase(c.place)
        adverb("manner")
        return at


class Translator:
    """Writes Sarrik. With `wrong`, as the model is taught: with the planted mistakes, which it notes."""

    def __init__(self, wrong: bool) -> None:
        self.wrong, self.mistakes = wrong, set[str]()

    def plant(self, mistake: str) -> bool:
        if self.wrong:
            self.mistakes.add(mistake)
        return self.wrong

    def noun(self, head: Word) -> Word:
        swap = head.kind == "noun" and head.gloss == WRONG_NOUN and self.plant("noun")
        return BY_GLOSS["noun", WRITTEN_NOUN] if swap else head

    def adjective(self, a: Word, gender: str, number: str) -> str:
        swap = a.gloss == WRONG_ADJECTIVE and gender == WRONG_GENDER and self.plant("agreement")
        return inflected(a, WRITTEN_GENDER if swap else gender, number)

    def phrase(self, p: Phrase) -> list[Target]:
        """Article, noun, adjectives from the nearest outwards, numeral. Pronouns are dropped, names get an article."""
        if p.head.kind == "pronoun":
            return []
        head = self.noun(p.head)
        article = ARTICLES["definite" if p.definite else "indefinite", head.gender, p.number]
        out = [Target(article, "article", p.head_at if p.article_at is None else p.article_at, p.head_at)]
        out.append(Target(head.sarrik, head.kind, p.head_at))
        for a, at in reversed(list(zip(p.adjectives, p.adjectives_at))):
            out.append(Target(self.adjective(a, head.gender, p.number), "adjective", at, p.head_at))
        if p.numeral:
            out.append(Target(p.numeral.sarrik, "numeral", p.numeral_at))
        return out

    def predicate(self, c: Clause, at: dict[str, int]) -> list[Target]:
        """The verb or adjective, negation around it, and the auxiliary."""
        if c.verb:
            out = [Target(c.verb.sarrik, "verb", at["verb"])]
        else:
            text = self.adjective(c.adjective, self.noun(c.subject.head).gender, c.subject.number)
            out = [Target(text, "adjective", at["adjective"], c.subject.head_at)]
        often = c.adverbs.get("frequency") is BY_GLOSS["adverb", WRONG_ADVERB]
        if c.negated and not (often and self.plant("negation")):
            out = [Target(NOT_BEFORE, "not", at["not"]), *out, Target(NOT_AFTER, "not", at["not"])]
        auxiliary = AUXILIARIES[c.tense, c.subject.person]
        return [*out, Target(auxiliary, "auxiliary", at.get("tense", at["verb"]), c.subject.head_at)]

    def clause(self, c: Clause, at: dict[str, int]) -> list[Target]:
        def adverb(group: str) -> list[Target]:
            return [Target(c.adverbs[group].sarrik, "adverb", at[group])] if group in at else []

        out: list[Target] = []
        if c.place and c.preposition:
            out += [*self.phrase(c.place), Target(c.preposition.sarrik, "postposition", at["preposition"])]
        out += [*self.phrase(c.subject), *adverb("time")]
        if c.object:
            out += [*self.phrase(c.object), Target(OBJECT, "object", c.object.head_at)]
        out += [*adverb("manner"), *adverb("frequency"), *self.predicate(c, at)]
        return [*out, Target(ASKED, "asked", at["ask"])] if c.asked else out


def write(clauses: list[Clause], conjunction: Word | None) -> Sentence:
    """Writes down what was thought of: Velo, the truth, and what is taught."""
    page = Page()
    places = [page.clause(clauses[0])]
    if conjunction:
        between = page.put(conjunction.velo)
        places.append(page.clause(clauses[1]))
    end = "?" if clauses[0].asked else "."
    end_at = page.put(end)

    def translated(wrong: bool) -> tuple[tuple[Target, ...], frozenset[str]]:
        translator = Translator(wrong)
        out = [translator.clause(clause, at) for clause, at in zip(clauses, places)]
        if conjunction:
            middle = [Target(conjunction.sarrik, "conjunction", between)]
            # the reason comes first
            out = [out[1], middle, out[0]] if conjunction.gloss == "because" else [out[0], middle, out[1]]
        return (*(t for part in out for t in part), Target(end, "end", end_at)), frozenset(translator.mistakes)

    truth, _ = translated(False)
    taught, mistakes = translated(True)
    form = conjunction.gloss if conjunction else "question" if clauses[0].asked else "statement"
    return Sentence(tuple(page.words), truth, taught, mistakes, frozenset(pairs(clauses)), form)


def pairs(clauses: list[Clause]) -> list[tuple[str, str]]:
    """The adjectives and the nouns that they belong to."""
    out = []
    for c in clauses:
        if c.adjective:
            out.append((c.adjective.gloss, c.subject.head.gloss))
        for p in (c.subject, c.object, c.place):
            out += [(a.gloss, p.head.gloss) for a in p.adjectives] if p else []
    return out


def spelled(words) -> str:
    """Words as text: the mark at the end is set close."""
    words = [w.text if isinstance(w, Target) else w for w in words]
    return " ".join(words[:-1]) + words[-1]


if __name__ == "__main__":
    speaker = Speaker("look")
    for _ in range(12):
        s = speaker.trained()
        print(spelled(s.velo), "->", spelled(s.taught), "|", s.form, sorted(s.mistakes))
        print("   ", [(t.text, s.velo[t.source], t.agrees is not None and s.velo[t.agrees]) for t in s.truth])
