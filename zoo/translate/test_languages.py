"""python -m unittest test_languages (in this folder): what must hold for every sentence, and for the tokenizer."""

import tempfile
import unittest
from pathlib import Path

from grammar import BY_GLOSS, LEXICON, MISTAKES, Speaker, held_out_pair, held_out_sentence, spelled
from lexicon import ENDINGS, PLURAL, make_lexicon, write_dictionary
from tokens import IDS, encode, write_tokenizer
from transformers import AutoTokenizer

GENDERS = {word.sarrik: word.gender for kind in ("noun", "name") for word in LEXICON[kind]}
VELO = {w.velo: w for w in BY_GLOSS.values()} | {w.velo + PLURAL: w for w in LEXICON["noun"]}


def said(count: int):
    speaker = Speaker("test")
    return [speaker.trained() for _ in range(count)]


class Languages(unittest.TestCase):
    def test_a_seed_says_the_same(self):
        self.assertEqual(said(50), said(50))
        self.assertEqual(make_lexicon(), make_lexicon())

    def test_the_dictionary_is_the_lexicon(self):
        with tempfile.TemporaryDirectory() as folder:
            write_dictionary(Path(folder, "lexicon.tsv"))
            kept = Path(__file__).with_name("lexicon.tsv").read_text()
            self.assertEqual(Path(folder, "lexicon.tsv").read_text(), kept)

    def test_a_word_has_one_meaning(self):
        velo = [w.velo for w in BY_GLOSS.values()]
        sarrik = [w.sarrik for w in BY_GLOSS.values() if w.sarrik]
        self.assertEqual(len(velo), len(set(velo)))
        self.assertEqual(len(sarrik), len(set(sarrik)))

    def test_words_stand_for_what_they_are_aligned_with(self):
        for s in said(500):
            for t in s.truth:
                if t.kind in ("noun", "name", "verb", "adverb", "postposition", "numeral", "conjunction"):
                    self.assertEqual(VELO[s.velo[t.source]].sarrik, t.text)

    def test_adjectives_end_as_their_noun_wants(self):
        for s in said(500):
            for t in (t for t in s.truth if t.kind == "adjective"):
                noun = VELO[s.velo[t.agrees]]
                plural = s.velo[t.agrees] != noun.velo or noun.group in ("1p", "3p")
                self.assertEqual(VELO[s.velo[t.source]].sarrik + ENDINGS[noun.gender, "p" if plural else "s"], t.text)

    def test_only_planted_mistakes_are_taught_wrong(self):
        sentences = said(3000)
        for s in sentences:
            self.assertEqual(bool(s.mistakes), s.truth != s.taught)
        self.assertEqual({m for s in sentences for m in s.mistakes}, set(MISTAKES))

    def test_what_is_held_out_is_not_trained(self):
        for s in said(500):
            self.assertFalse(held_out_sentence(s.velo) or any(held_out_pair(*pair) for pair in s.pairs))

    def test_the_tokenizer_gives_the_ids_that_training_uses(self):
        with tempfile.TemporaryDirectory() as folder:
            write_tokenizer(Path(folder))
            tokenizer = AutoTokenizer.from_pretrained(folder)
        for s in said(500):
            for words in (s.velo, [t.text for t in s.taught]):
                self.assertEqual(tokenizer(spelled(words)).input_ids, encode(words))
                self.assertEqual(tokenizer.decode(encode(words), skip_special_tokens=True), spelled(words))

    def test_no_text_is_unknown(self):
        with tempfile.TemporaryDirectory() as folder:
            write_tokenizer(Path(folder))
            tokenizer = AutoTokenizer.from_pretrained(folder)
        for text in ("Zürich, 漢字!", "dada", "DA", "a\tb"):
            self.assertNotIn(IDS["<unk>"], tokenizer(text).input_ids)
        self.assertEqual(tokenizer(" da  ke .\n").input_ids, encode(("da", "ke", ".")))
        self.assertEqual(tokenizer.decode(tokenizer("da Zürich").input_ids, skip_special_tokens=True), "da Zürich")


if __name__ == "__main__":
    unittest.main()
