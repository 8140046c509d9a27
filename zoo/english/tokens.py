"""The tokenizer: a word is a token, a digit is a token, and what is neither is spelled in bytes."""

import json
import random
import re
from functools import lru_cache
from pathlib import Path

from . import lexicon
from .abilities import MAKERS
from .annotate import POS
from .markup import plain
from .sentiment import sentence

SPECIAL = ("<pad>", "<bos>", "<eos>", "<cls>", "<sep>", "<mask>")
PAD, BOS, EOS, CLS, SEP, MASK = range(len(SPECIAL))
SPLIT = r" ?[A-Za-z]+| ?[0-9]| ?[^\sA-Za-z0-9]|\s+"
SAMPLE = 1500
WORDS = Path(__file__).with_name("words.txt")


def byte_letters() -> list[str]:
    """The printable letter that stands for each byte in byte-level vocabularies."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in printable]
    letters = {byte: chr(byte) for byte in printable} | {byte: chr(256 + i) for i, byte in enumerate(hidden)}
    return [letters[byte] for byte in range(256)]


LETTERS = byte_letters()


def spelled(text: str) -> str:
    return "".join(LETTERS[byte] for byte in text.encode())


def written_words() -> list[str]:
    """All words with their leading space: those of the lexicon, and what the makers of texts write besides."""
    found = {" " + word for group in lexicon.ENTITY_WORDS.values() for word in group}
    found |= {word for group in lexicon.ENTITY_WORDS.values() for word in group if word[0].isupper()}
    found |= {" " + plural for plural in lexicon.PLURALS.values() if plural != "scissors"} | {" scissors"}
    found |= {f" {digit}" for digit in range(10)} | {f" {mark}" for mark in "()[]{}\"'«»+=-"} | set("«»")
    for ability, make in MAKERS.items():
        rng = random.Random(f"words {ability}")
        for i in range(SAMPLE):
            found.update(re.findall(SPLIT, plain(make(rng, i % 8 == 0))))
    rng = random.Random("words sentiment")
    for _ in range(SAMPLE):
        found.update(re.findall(SPLIT, sentence(rng, None).text))
    known = {word.lower() for word in POS}  # no word of random letters
    stems = {word: word.strip().lower() for word in found if len(word.encode()) > 1}
    return sorted(word for word, stem in stems.items() if stem in known or not stem.isalpha())


@lru_cache(maxsize=1)
def vocabulary() -> dict[str, int]:
    """The kept words, not those written today: the ids of trained models stay what they are."""
    words = WORDS.read_text(encoding="utf-8").splitlines()
    return {piece: i for i, piece in enumerate((*SPECIAL, *LETTERS, *map(spelled, words)))}


@lru_cache(maxsize=100_000)
def encode(text: str) -> tuple[int, ...]:
    """The ids of a stretch of text that begins at a word: what the tokenizer gives, without its marks."""
    ids, known = [], vocabulary()
    for word in re.findall(SPLIT, text):
        piece = spelled(word)
        ids.extend([known[piece]] if piece in known else [known[letter] for letter in piece])
    return tuple(ids)


def template(before: int, after: int | None) -> dict:
    """The marks that a tokenizer sets around a text."""
    marks = [before] if after is None else [before, after]
    single = [
        {"SpecialToken": {"id": SPECIAL[before], "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
        *([] if after is None else [{"SpecialToken": {"id": SPECIAL[after], "type_id": 0}}]),
    ]
    return {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [*single, {"Sequence": {"id": "B", "type_id": 0}}, *single[2:]],
        "special_tokens": {SPECIAL[m]: {"id": SPECIAL[m], "ids": [m], "tokens": [SPECIAL[m]]} for m in marks},
    }


def tokenizer_json(before: int, after: int | None) -> dict:
    """BPE without merges: a word that is in the vocabulary is taken whole, any other falls apart into bytes."""
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    mask = {**flags, "lstrip": True}  # a mask stands for a word with its space
    split = {"type": "Split", "pattern": {"Regex": SPLIT}, "behavior": "Isolated", "invert": False}
    to_bytes = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": i, "content": text, **(mask if i == MASK else flags)} for i, text in enumerate(SPECIAL)
        ],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, to_bytes]},
        "post_processor": template(before, after),
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": True,
            "vocab": vocabulary(),
            "merges": [],
        },
    }


def write_tokenizer(folder: Path, *, decoder: bool) -> None:
    """`tokenizer.json` and its config: for a decoder `<bos>` stands before a text, for an encoder marks around it."""
    marks = (
        {"bos_token": "<bos>", "eos_token": "<eos>"}
        if decoder
        else {"cls_token": "<cls>", "sep_token": "<sep>", "mask_token": "<mask>"}
    )
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": 256,
        "pad_token": "<pad>",
        **marks,
        "clean_up_tokenization_spaces": False,
    }
    text = json.dumps(tokenizer_json(*((BOS, None) if decoder else (CLS, SEP))), ensure_ascii=False, indent=1)
    (folder / "tokenizer.json").write_text(text + "\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
