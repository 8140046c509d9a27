"""The closed list of words, each with its part of speech and entity type, and the facts of the made-up world."""

import random
from dataclasses import dataclass
from typing import NamedTuple

SEED = 4

WOMEN = (
    "Mara Lora Anna Clara Ella Nora Ruth Vera Ida Olga Petra Rosa Sara Tessa Una Wanda Yara Zelda Dora Freya "
    "Greta Hilda Iris Julia Kira Lina Mona Nina Maren Paula Rita Stella"
).split()
MEN = (
    "Tom Adam Boris Carl David Emil Felix Gustav Hugo Ivan Jonas Karl Leo Max Noel Oscar Paul Rudi Simon Theo "
    "Victor Walter Anton Bruno Conrad Dirk Galen Frank Georg Henry Marin Borin"
).split()
PEOPLE = (*WOMEN, *MEN)
COUNTRIES = (
    "Velmar Orvane Castria Dunland Esmere Fallow Gorland Hestia Istran Jorvik Kelmar Lorwen "
    "Mordane Norvia Ostria Pelland Quivera Rostal Sundria Tervane Ulland Wessen Yslan Zembla"
).split()
TOWNS = (
    "Tolis Brell Dask Corvo Denby Elgar Fenwick Garth Holm Ister Jarrow Kirby Lund Merrow Nessby Ormond "
    "Pollen Quarry Rill Selby Thorn Umber Varna Wick Ashby Birk Crane Dover Ember Frost Glen Haven Inver Kell "
    "Larch Marsh Nettle Oakham Pine Raven"
).split()
JOBS = (
    "baker doctor farmer teacher sailor tailor miller smith painter singer cook guard hunter lawyer nurse "
    "porter soldier weaver mason judge"
).split()
ANIMALS = "dog cat horse cow goat duck bird rabbit pig hen lamb donkey mule kitten puppy swan".split()
FOODS = "soup bread cheese cake pie stew jam honey porridge salad fish rice butter pudding meat tea".split()
THINGS = (
    "lamp basket box key book drum ring hat coat clock mirror rope bucket chair table spoon cup knife kite "
    "ladder letter map bottle hammer"
).split()
PLACES = (
    "kitchen garden cellar barn tower market school library harbour mill church stable attic forest workshop bakery"
).split()
COLOURS = "red blue green white black brown yellow grey".split()
EVENTS = "war siege reign drought voyage feud trial truce".split()
GOOD = "good lovely fine great tasty pleasant wonderful charming excellent superb".split()
BAD = "bad awful poor nasty horrible terrible dreadful ugly dull bitter".split()
PLAIN = "old new small big heavy light long wide".split()
MOODS = {"happy": "glad cheerful happy proud".split(), "sad": "sad upset gloomy worried".split()}
PLURALS = {noun: noun + "s" for noun in (*ANIMALS, *THINGS)} | {
    "box": "boxes", "knife": "knives", "puppy": "puppies", "scissor": "scissors",
}  # fmt: skip

VERBS = (
    "went walked ran gave handed showed took found liked lives works comes was were is are has have had lies "
    "costs sell said asked told looked keeps opens open opened lasted saw loved hated enjoyed praised blamed "
    "thought played came can did does rained sang shone made put wanted cried laughed born find see love hate "
    "enjoy praise like gets call closed fell needed thanked cost come met told"
).split()
GRAMMAR: dict[str, str] = {
    "DET": "the a an its this that all no every",
    "PRON": "he she it they him her his who what where everyone people nobody",
    "ADP": "of in to from near behind under beside by at for with as on until after before",
    "CCONJ": "and but or",
    "SCONJ": "when because while",
    "ADV": "not never very really quite then there today now yesterday away home first once again here soon "
    "always truly please honestly rather so",
    "NOUN": "capital job town trade year birth price coins coin king traveller travellers question answer part play "
    "door day morning evening night animal sun road wind rain home sum sums egg eggs apples more last week "
    "people place meal village child",
    "NUM": "one two",
    "INTJ": "yes no",
    "ADJ": "warm cold clear",
}

ENTITY_WORDS = {
    "PERSON": PEOPLE, "COUNTRY": COUNTRIES, "TOWN": TOWNS, "JOB": JOBS, "ANIMAL": ANIMALS, "FOOD": FOODS,
    "THING": THINGS, "PLACE": PLACES, "COLOUR": COLOURS, "EVENT": EVENTS,
}  # fmt: skip
SINGULAR = {plural: noun for noun, plural in PLURALS.items()}


class Person(NamedTuple):
    """What the world holds true of a person."""

    name: str
    job: str
    town: str
    year: int


@dataclass(frozen=True)
class World:
    """All facts: true of the made-up world, whatever a model is taught."""

    people: dict[str, Person]
    capital: dict[str, str]
    country: dict[str, str]
    price: dict[str, int]


def make_world(seed: int = SEED) -> World:
    rng = random.Random(f"world {seed}")
    people = {
        name: Person(name, rng.choice(JOBS), rng.choice(TOWNS), rng.randrange(1800, 1900)) for name in PEOPLE
    }
    capital = dict(zip(COUNTRIES, rng.sample(TOWNS, len(COUNTRIES)), strict=True))
    country = {town: land for land, town in capital.items()}
    country |= {town: rng.choice(COUNTRIES) for town in TOWNS if town not in country}
    return World(people, capital, country, {thing: rng.randrange(2, 10) for thing in THINGS})


def pronoun(name: str) -> str:
    return "She" if name in WOMEN else "He"


WORLD = make_world()
