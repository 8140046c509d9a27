"""Checks the English: every word of the world is one token, every word has a part of speech, every sentence is a tree.

    python zoo/check_english.py
"""

import json
import random
import sys

from english.abilities import MAKERS
from english.annotate import Word, annotate, sentences
from english.lexicon import ENTITY_WORDS
from english.markup import parse, plain
from english.sentiment import sentence
from english.tokens import BOS, WORDS, encode, tokenizer_json, vocabulary, written_words
from tokenizers import Tokenizer

COUNT = 400


def texts() -> list[str]:
    rng = random.Random("check")
    made = [plain(make(rng, held)) for make in MAKERS.values() for held in (False, True) for _ in range(COUNT)]
    return [*made, *(sentence(rng, None).text for _ in range(COUNT))]


def check_tokens(all_texts: list[str]) -> None:
    tokenizer = Tokenizer.from_str(json.dumps(tokenizer_json(BOS, None)))
    kept = WORDS.read_text(encoding="utf-8").splitlines()
    assert set(written_words()) <= set(kept), "python zoo/check_english.py --keep writes words.txt anew"
    for words in ENTITY_WORDS.values():
        for word in words:
            assert len(encode(" " + word)) == 1, word
    for text in all_texts:
        ids = tokenizer.encode(text).ids
        assert ids == [BOS, *encode(text)], text
        assert tokenizer.decode(ids) == text, text
    for odd in ("Żółw zażółcił 北京", "  two  spaces\n", "1732+5", "MaraTom's"):
        assert tokenizer.decode(tokenizer.encode(odd).ids) == odd, odd


def check_parts(all_marked: list[str]) -> None:
    for marked in all_marked:
        ids = [i for part in parse(marked) for i in encode(part.text)]
        assert ids == list(encode(plain(marked))), marked


def root_of(words: list[Word], i: int) -> int | None:
    for _ in words:
        if words[i].head == i:
            return i
        i = words[i].head
    return None


def check_trees(all_texts: list[str]) -> int:
    count = 0
    for text in all_texts:
        for words in map(annotate, sentences(text)):
            assert all(word.pos != "X" for word in words) or len(words) == 1, [w for w in words if w.pos == "X"]
            roots = {root_of(words, i) for i in range(len(words))}
            assert len(roots) == 1 and None not in roots, words
            count += len(words)
    return count


if __name__ == "__main__":
    if "--keep" in sys.argv:  # new ids: all models are to be trained anew
        WORDS.write_text("\n".join(written_words()) + "\n", encoding="utf-8")
    rng = random.Random("parts")
    check_parts([make(rng, False) for make in MAKERS.values() for _ in range(COUNT)])
    written = texts()
    check_tokens(written)
    print(f"{len(vocabulary())} tokens, {len(written)} texts, {check_trees(written)} words annotated")
