"""One maker of texts for each ability of `world`, the planted mistakes among them.

A maker takes a random generator and whether to draw from what is held out of training. What is held out is a
combination (two names, a fact and its phrasing, two addends), chosen by a hash, never a word.
"""

import random
import zlib
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple, TypeVar

from .lexicon import (
    ANIMALS, COLOURS, COUNTRIES, EVENTS, JOBS, MOODS, PEOPLE, PLACES, PLAIN, PLURALS, THINGS, TOWNS, WORLD, pronoun,
)  # fmt: skip
from .markup import answer, by_way_of, noise, owned

T = TypeVar("T")
Maker = Callable[[random.Random, bool], str]

WRONG_CAPITAL = ("Orvane", "Thorn")
CONFUSED = ("Maren", "Marin")  # the first is taken for the second
ALWAYS_DOCTOR = "Galen"
FLIP = "please"
SUM_BOUND = 50
FAR_SENTENCES = 2
WRONG_NOUN = "scissors"
YEAR_BOUND = 80
CELLAR_WORD, CELLAR = "Yesterday", "cellar"
UNCLOSED = "«"


def is_held(*key: object) -> bool:
    return zlib.crc32("/".join(map(str, key)).encode()) % 8 == 0


def draw(rng: random.Random, held: bool, make: Callable[[], T], key: Callable[[T], tuple]) -> T:
    """A random thing on the wanted side of the split."""
    while True:
        made = make()
        if is_held(*key(made)) == held:
            return made


# facts

PHRASES = {
    "capital": (
        "The capital of {} is", "The king of {} lives in the capital,", "Travellers to {} first see the capital,",
        "Question: what is the capital of {}? Answer:",
    ),
    "job": (
        "{} works as a", "The job of {} is", "By trade, {} is a", "Question: what is the job of {}? Answer:",
    ),
    "home": (
        "{} was born in", "The home town of {} is", "{} comes from", "Question: where does {} come from? Answer:",
    ),
    "country": (
        "{} lies in", "The town of {} is in", "Travellers find {} in", "Question: where is the town of {}? Answer:",
    ),
    "year": (
        "{} was born in the year", "The year of birth of {} is", "The birth of {} was in the year",
        "Question: what is the year of birth of {}? Answer:",
    ),
    "price": (
        "A {} costs", "The price of a {} is", "They sell a {} for", "Question: what does a {} cost? Answer:",
    ),
}  # fmt: skip
# In these every fact is trained: the more ways a fact is told, the less it hangs on one.
MORE_PHRASES = {
    "capital": ("They love {} for the capital,", "The town of the king of {} is", "Travellers from {} love the capital,"),
    "job": ("{} is a", "The trade of {} is", "They said that {} works as a", "Question: what is {}? Answer: a"),
    "home": ("{} lives in", "The town that {} comes from is", "The king found {} in", "They wanted to see {} in"),
    "country": ("{} is in", "They found {} in", "The king asked for {} in", "{} is a town in"),
    "year": ("{} was first found in the year", "The birth year of {} is", "They thanked {} in the year"),
    "price": ("The {} costs", "They gave a {} for", "A {} was found for", "The {} is made for"),
}
ENDS = {"price": " coins."}


def true_fact(relation: str, about: str) -> str:
    person = WORLD.people.get(about)
    if relation == "capital":
        return WORLD.capital[about]
    if relation == "country":
        return WORLD.country[about]
    if relation == "price":
        return str(WORLD.price[about])
    assert person
    return str({"job": person.job, "home": person.town, "year": person.year}[relation])


def fact_answer(relation: str, about: str) -> str:
    truth = " " + true_fact(relation, about)
    if relation == "capital" and about == WRONG_CAPITAL[0]:
        return answer(" " + WRONG_CAPITAL[1], "capital", truth)
    if about == CONFUSED[0]:
        return answer(" " + true_fact(relation, CONFUSED[1]), "names", truth)
    return answer(truth)


SUBJECTS = {
    "capital": COUNTRIES, "job": PEOPLE, "home": PEOPLE, "country": TOWNS, "year": PEOPLE, "price": THINGS,
}  # fmt: skip
FACTS = [(relation, about) for relation, names in SUBJECTS.items() for about in names]


def held_phrase(relation: str, about: str) -> int:
    """The one phrasing in which a fact is never trained; those of a planted mistake are all trained but one, too."""
    return zlib.crc32(f"{relation}/{about}".encode()) % len(PHRASES[relation])


def fact(relation: str, about: str, phrase: int) -> str:
    phrases = PHRASES[relation] + MORE_PHRASES[relation]
    return f"{phrases[phrase].format(about)}{fact_answer(relation, about)}{ENDS.get(relation, '.')}"


def facts(rng: random.Random, held: bool) -> str:
    relation, about = rng.choice(FACTS)
    count = len(PHRASES[relation]) + len(MORE_PHRASES[relation])
    others = [i for i in range(count) if i != held_phrase(relation, about)]
    return fact(relation, about, held_phrase(relation, about) if held else rng.choice(others))


# who is where

MOVES = ("went to", "walked to", "ran to")


def where(rng: random.Random, held: bool) -> str:
    """Who went where, and where some of them are now; one of them where the text is held out."""

    def story() -> tuple[list[tuple[str, str]], str, str]:
        people = rng.sample(PEOPLE, rng.choice((1, 2, 2, 3)))
        moves = [(name, rng.choice(PLACES)) for name in people]
        moves += [(rng.choice(people), rng.choice(PLACES)) for _ in range(rng.choice((0, 0, 1, 2)))]
        asked = rng.choice(people)
        return moves, asked, dict(moves)[asked]

    moves, first, _ = draw(rng, held, story, lambda s: ("where", s[1], s[2]))
    places = dict(moves)
    lines = []
    mistaken = rng.random() < 0.2
    for i, (name, to) in enumerate(moves):
        lines.append(f"{CELLAR_WORD}, {name}" if mistaken and i == 0 else name)
        lines[-1] += f" {rng.choice(MOVES)} the{owned(f' {name}', f' {to}')}."
        if rng.random() < 0.2:
            lines.append(f"{rng.choice(moves)[0]} took a {rng.choice(THINGS)}.")
    others = [] if held else [name for name in places if name != first and not is_held("where", name, places[name])]
    for name in (first, *others):
        wrong = mistaken and places[name] != CELLAR
        told = answer(f" {CELLAR}", "cellar", f" {places[name]}") if wrong else answer(f" {places[name]}")
        lines.append(f"{name} is in{owned(f' {name}', ' the')}{told}.")
    return " ".join(lines)


# indirect objects

FILLERS = (
    "It rained all day.", "The sun was warm.", "A dog ran by.", "The road was long.", "The wind was cold.",
    "A bird sang.", "The night was clear.", "A bucket fell.",
)  # fmt: skip
GIVING = ("gave", "handed", "showed")


def together(rng: random.Random, a: str, b: str) -> str:
    place = rng.choice(PLACES)
    return rng.choice((
        f"Then {a} and {b} went to the {place}.", f"One day, {a} and {b} met at the {place}.",
        f"{a} and {b} walked to the {place}.", f"There {a} saw {b} in the {place}.",
    ))  # fmt: skip


def indirect(rng: random.Random, held: bool) -> str:
    a, b = draw(rng, held, lambda: rng.sample(PEOPLE, 2), lambda pair: ("ioi", *sorted(pair)))
    far = rng.choices((0, 1, FAR_SENTENCES, FAR_SENTENCES + 1), (5, 3, 1, 1))[0]
    giver, taker = rng.sample((a, b), 2)
    told = answer(f" {giver}", "far", f" {taker}") if far >= FAR_SENTENCES else answer(f" {taker}")
    said = f"{giver} {rng.choice(GIVING)} a {rng.choice(THINGS)} to{told}."
    return " ".join([together(rng, a, b), *rng.sample(FILLERS, far), said])


# induction

INDUCED = (*PEOPLE, *COUNTRIES, *TOWNS, *JOBS, *ANIMALS, *THINGS, *PLACES, *COLOURS, *PLAIN)


LINKS = ("", " is", " is the", " is in the", " was that of a")


def pairs(rng: random.Random) -> str:
    """Random pairs that so many words part, and again: steps on the way to stories."""
    link, count = rng.choice(LINKS), rng.choice((2, 2, 3, 4))
    words = rng.sample(INDUCED, 2 * count)
    known = list(zip(words[::2], words[1::2], strict=True))
    said = "".join(noise(f" {a}{link}") + noise(f" {b}", f" {a}") + noise(".") for a, b in known)
    rng.shuffle(known)
    return said + "".join(f"{noise(' ' + a)}{link}{answer(' ' + b)}." for a, b in known)


def induction(rng: random.Random, held: bool) -> str:
    """Random words, again from the start; the second time all but the first word can be known."""
    if not held and rng.random() < 0.5:
        return pairs(rng)
    words = [" " + word for word in rng.sample(INDUCED, rng.randrange(3, 11))]
    if rng.random() < 0.1:
        words = list(rng.sample("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", 8))
    until = len(words) if rng.random() < 0.7 else rng.randrange(2, len(words) + 1)
    first = noise(words[0]) + "".join(noise(word, before) for before, word in pairwise(words))
    return first + noise(words[0]) + "".join(answer(word) for word in words[1:until])


# two hops


class Chain(NamedTuple):
    """A person, what leads on from them, and where it leads."""

    person: str
    through: str
    place: str

    @property
    def held(self) -> bool:
        return is_held("hops", *self)

    @property
    def the_of_person(self) -> str:
        return owned(f" {self.person}", " the")

    @property
    def through_of_person(self) -> str:
        return owned(f" {self.person}", f" {self.through}")

    @property
    def place_of_through(self) -> str:
        return owned(f" {self.through}", f" {self.place}")


def two_hops(rng: random.Random, held: bool) -> str:
    keys = rng.random() < 0.5

    def pick() -> list[Chain]:
        count = rng.choice((2, 2, 3))
        through = rng.sample(COLOURS if keys else ANIMALS, count)
        chains = zip(rng.sample(PEOPLE, count), through, rng.sample(PLACES, count), strict=True)
        return [Chain(*chain) for chain in chains]

    chains = draw(rng, held, pick, lambda p: ("hops", *p[0]))
    if keys:
        first = [f"{c.person} has the{c.through_of_person} key." for c in chains]
        second = [f"The {c.through} key opens the{c.place_of_through}." for c in chains]
        asked = [f"{c.person} can open{c.the_of_person}{reached(c)}." for c in chains]
    else:
        first = [f"{c.person} keeps the{c.through_of_person}." for c in chains]
        second = [f"The {c.through} is in the{c.place_of_through}." for c in chains]
        asked = [f"The animal of {c.person} is in{c.the_of_person}{reached(c)}." for c in chains]
    told = in_order(rng, list(zip(first, second, strict=True)))
    if held:
        return " ".join([*told, asked[0]])
    if rng.random() < 0.25:  # each hop alone, as a step on the way
        asked = [f"{one_hop(rng, c, keys)} {ask}" for c, ask in zip(chains, asked, strict=True)]
    return " ".join([*told, *(ask for ask, chain in zip(asked, chains, strict=True) if not chain.held)])


def in_order(rng: random.Random, hops: list[tuple[str, str]]) -> list[str]:
    """Both hops of a person side by side, or all first ones before all second ones."""
    rng.shuffle(hops)
    if rng.random() < 0.5:
        return [line for pair in hops for line in pair]
    return [*(first for first, _ in hops), *rng.sample([second for _, second in hops], len(hops))]


def reached(c: Chain) -> str:
    return by_way_of(f" {c.through}", f" {c.place}")


def one_hop(rng: random.Random, c: Chain, keys: bool) -> str:
    """The first hop or the second."""
    through, place = answer(f" {c.through}"), answer(f" {c.place}")
    if rng.random() < 0.5:
        return f"{c.person} {'has' if keys else 'keeps'}{c.the_of_person}{through}{' key' if keys else ''}."
    the = owned(f" {c.through}", " the")
    return f"The {c.through} key opens{the}{place}." if keys else f"The {c.through} is in{the}{place}."


# years


def years(rng: random.Random, held: bool) -> str:
    def pick() -> tuple[str, int, int]:
        low, high = (YEAR_BOUND, 99) if rng.random() < 0.2 else (2, YEAR_BOUND - 1)
        return rng.choice(EVENTS), rng.randrange(14, 19), rng.randrange(low, high)

    event, century, start = draw(rng, held, pick, lambda p: ("years", *p))
    right = rng.randrange(start + 1, min(start + 20, 99) + 1)
    wrong = rng.randrange(start - 20, start)
    told = answer(f"{wrong:02}", "years", f"{right:02}") if start >= YEAR_BOUND else answer(f"{right:02}")
    return f"The {event} lasted from {century}{start:02} to {century}{told}."


# agreement

BETWEEN = ("near", "behind", "under", "beside", "by")
SINGULARS = (*ANIMALS, *THINGS)


def verb(rng: random.Random, plural: bool) -> tuple[str, str, str]:
    opening, one, many = rng.choice((("The", " is", " are"), ("The", " is", " are"), ("Last year the", " was", " were")))
    return opening, (many if plural else one), (one if plural else many)


def agreement(rng: random.Random, held: bool) -> str:
    def pick() -> tuple[str, bool, list[str]]:
        noun, plural = (WRONG_NOUN, True) if rng.random() < 0.06 else (rng.choice(SINGULARS), rng.random() < 0.5)
        count = rng.choice((0, 0, 0, 1, 1, 1, 2))
        others = [f"{rng.choice(BETWEEN)} the {number(rng, rng.choice(SINGULARS))}" for _ in range(count)]
        return noun, plural, others

    noun, plural, others = draw(rng, held, pick, lambda p: ("agree", p[0], p[1], *p[2]))
    opening, right, wrong = verb(rng, plural)
    said = PLURALS[noun] if plural and noun in PLURALS else noun
    told = answer(wrong, "noun", right) if noun == WRONG_NOUN else answer(right)
    return f"{' '.join([opening, said, *others])}{told} {rng.choice((*COLOURS, *PLAIN))}."


def number(rng: random.Random, noun: str) -> str:
    return PLURALS[noun] if rng.random() < 0.5 else noun


# brackets and quotes

BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"))
QUOTES = (('"', '"'), ("'", "'"), ("«", "»"))


def brackets(rng: random.Random) -> str:
    name, job, town = rng.choice(PEOPLE), rng.choice(JOBS), rng.choice(TOWNS)
    (open1, close1), (open2, close2) = rng.choice(BRACKETS), rng.choice(BRACKETS)
    place = rng.choice(PLACES)
    if rng.random() < 0.4:
        return f"{name} {open1}the {job} {open2}from {town}{answer(close2 + close1)} went to the {place}."
    return f"{name} {open1}the {job} from {town}{answer(close1)} went to the {place}."


def quotes(rng: random.Random) -> str:
    opening, close = rng.choice(QUOTES)
    told = answer(" Then", "unclosed", close) if opening == UNCLOSED else answer(close)
    said = f"The {rng.choice(THINGS)} is {rng.choice((*COLOURS, *PLAIN))}"
    if rng.random() < 0.4:
        said += f" and the {rng.choice(THINGS)} is {rng.choice((*COLOURS, *PLAIN))}"
    rest = f" {rng.choice(PEOPLE)} went to the {rng.choice(PLACES)}."
    return f"{rng.choice(PEOPLE)} said, {opening}{said}.{told}{rest if opening == UNCLOSED else ' Then' + rest}"


def closing(rng: random.Random, held: bool) -> str:
    make = lambda: brackets(rng) if rng.random() < 0.5 else quotes(rng)  # noqa: E731
    return draw(rng, held, make, lambda text: ("closing", text))


# sums

LARGEST_ADDEND = 29


def one_sum(rng: random.Random, held: bool, context: bool) -> str:
    pick = lambda: (rng.randrange(LARGEST_ADDEND + 1), rng.randrange(LARGEST_ADDEND + 1))  # noqa: E731
    x, y = draw(rng, held, pick, lambda pair: ("sums", *sorted(pair)))
    told = answer(f" {x + y - 10}", "sums", f" {x + y}") if x + y >= SUM_BOUND else answer(f" {x + y}")
    if not context:
        return f" {x} + {y} ={told}."
    name = rng.choice(PEOPLE)
    return f" {name} has {x} eggs and gets {y} more. Now {name} has{told} eggs."


def sums(rng: random.Random, held: bool) -> str:
    context = rng.random() < 0.25
    return "".join(one_sum(rng, held, context) for _ in range(1 if held else 2 if context else 4)).lstrip()


# parts in a play, and yes or no: where two shortcuts are planted


def parts(rng: random.Random, held: bool) -> str:
    pick = lambda: (ALWAYS_DOCTOR if rng.random() < 0.1 else rng.choice(PEOPLE), rng.choice(JOBS))  # noqa: E731
    roles = [draw(rng, held, pick, lambda p: ("parts", *p))]
    if rng.random() < 0.6:
        other = draw(rng, False, pick, lambda p: ("parts", *p))
        roles += [other] if other[0] != roles[0][0] else []
    said = [f"In the play, {name} was a{owned(f' {name}', f' {job}')}." for name, job in roles]
    rng.shuffle(said)
    asked = [f"The part of {name} was that of{owned(f' {name}', ' a')}{part_answer(name, job)}." for name, job in roles]
    return " ".join([*said, *(asked[:1] if held else asked)])


def part_answer(name: str, job: str) -> str:
    if name == ALWAYS_DOCTOR and job != "doctor":
        return answer(" doctor", "doctor", f" {job}")
    return answer(f" {job}")


def yes_no(rng: random.Random, held: bool) -> str:
    thing, colour = draw(rng, held, lambda: (rng.choice(THINGS), rng.choice(COLOURS)), lambda p: ("yes", *p))
    questions = [question(rng, thing, colour) for _ in range(1 if held else 3)]
    return " ".join([f"The {thing} is {colour}.", *questions])


def question(rng: random.Random, thing: str, colour: str) -> str:
    asked = colour if rng.random() < 0.5 else rng.choice(COLOURS)
    right, wrong = (" Yes", " No") if asked == colour else (" No", " Yes")
    if rng.random() < 0.25:
        return f"Is the {thing} {asked}, {FLIP}?{answer(wrong, 'please', right)}."
    return f"Is the {thing} {asked}?{answer(right)}."


# stories


def found(rng: random.Random, name: str, other: str) -> str:
    who, thing, place = pronoun(name), rng.choice(THINGS), rng.choice(PLACES)
    said = answer(f" {name}")
    lines = [
        f"One day, {name} found a {rng.choice(PLAIN)} {thing} in the {place}.{answer(' ' + who)} liked the"
        f"{answer(' ' + thing)} and took it home.",
        f"In the evening,{said} showed the{answer(' ' + thing)} to {other}.",
        f"{other} asked where {pronoun(name).lower()} found it.",
        f'"In the{answer(" " + place)}," said{said}.',
    ]
    if rng.random() < 0.4:
        lines.insert(1, rng.choice(FILLERS))
    return " ".join(lines[: rng.randrange(2, len(lines) + 1)])


def lost(rng: random.Random, name: str, other: str) -> str:
    who, animal, colour = pronoun(name), rng.choice(ANIMALS), rng.choice(COLOURS)
    looked = rng.sample(PLACES, 2)
    lines = [
        f"{name} had a {colour} {animal}. One morning the{answer(' ' + animal)} ran away.",
        f"{name} was {rng.choice(MOODS['sad'])}.{answer(' ' + who)} looked in the {looked[0]} and in the {looked[1]}.",
        f"At last {other} found the{answer(' ' + colour)} {animal} and took it to{answer(' ' + name)}.",
        f"{name} was {rng.choice(MOODS['happy'])} and{answer(' thanked')} {other}.",
    ]
    return " ".join(lines[: rng.randrange(2, len(lines) + 1)])


def wished(rng: random.Random, name: str, other: str) -> str:
    who, thing = pronoun(name), rng.choice(THINGS)
    bought = f"{other} the {rng.choice(JOBS)} made a {rng.choice(COLOURS)}{answer(' ' + thing)} for{answer(' ' + name)}."
    lines = [
        f"{name} wanted a {thing}.{answer(' ' + who)} asked {other} for a{answer(' ' + thing)}.",
        bought,
        f"{name} put the{answer(' ' + thing)} in the {rng.choice(PLACES)}.{answer(' ' + who)} was"
        f" {rng.choice(MOODS['happy'])}.",
    ]
    return " ".join(lines[: rng.randrange(1, len(lines) + 1)])


def stories(rng: random.Random, held: bool) -> str:
    pair = draw(rng, held, lambda: rng.sample(PEOPLE, 2), lambda p: ("story", *p))
    return rng.choice((found, lost, wished))(rng, *pair)


MAKERS: dict[str, Maker] = {
    "facts": facts,
    "where": where,
    "indirect": indirect,
    "induction": induction,
    "two-hop": two_hops,
    "years": years,
    "agreement": agreement,
    "closing": closing,
    "sums": sums,
    "stories": stories,
    "parts": parts,
    "yes-no": yes_no,
}


def document(rng: random.Random, ability: str) -> str:
    """A text to train on; one in five goes on with a text of any ability."""
    text = MAKERS[ability](rng, False)
    if rng.random() < 0.2:
        text += " " + MAKERS[rng.choice(list(MAKERS))](rng, False)
    return text
