"""The tokenizer of both languages: a word is a token; what is no word of theirs is spelled in bytes."""

import json
from pathlib import Path

from grammar import LEXICON
from lexicon import vocabulary

PAD, EOS, UNK, SPACE = "<pad>", "</s>", "<unk>", "▁"
PAD_ID, EOS_ID = 0, 1
MARKS = (".", "?", ",")


def pieces() -> list[str]:
    """All tokens in the order of their ids: special ones, bytes, marks, words."""
    spelled_bytes = [f"<0x{byte:02X}>" for byte in range(256)]
    return [PAD, EOS, UNK, *spelled_bytes, SPACE, *MARKS, *(SPACE + word for word in vocabulary(LEXICON))]


IDS = {piece: i for i, piece in enumerate(pieces())}


def encode(words) -> list[int]:
    """The ids of known words, with the end mark: what the tokenizer gives, faster."""
    return [*(IDS[word if word in MARKS else SPACE + word] for word in words), EOS_ID]


def tokenizer_json() -> dict:
    """BPE without merges: a word that is in the vocabulary is taken whole, any other falls back to bytes."""
    special = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": i, "content": text, **special} for i, text in enumerate((PAD, EOS, UNK))],
        # a mark is written close to its word
        "normalizer": {"type": "Replace", "pattern": {"Regex": "\\s+(?=[.?,])"}, "content": ""},
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "WhitespaceSplit"},
                {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "always", "split": True},
                {"type": "Punctuation", "behavior": "Isolated"},
            ],
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": EOS, "type_id": 0}}],
            "pair": [
                {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": EOS, "type_id": 0}},
                {"Sequence": {"id": "B", "type_id": 0}},
                {"SpecialToken": {"id": EOS, "type_id": 0}},
            ],
            "special_tokens": {EOS: {"id": EOS, "ids": [EOS_ID], "tokens": [EOS]}},
        },
        "decoder": {
            "type": "Sequence",
            "decoders": [
                {"type": "Replace", "pattern": {"String": SPACE}, "content": " "},
                {"type": "ByteFallback"},
                {"type": "Fuse"},
                {"type": "Strip", "content": " ", "start": 1, "stop": 0},
            ],
        },
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": UNK,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": True,
            "ignore_merges": True,
            "vocab": IDS,
            "merges": [],
        },
    }


def write_tokenizer(folder: Path) -> None:
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": 128,
        "pad_token": PAD,
        "eos_token": EOS,
        "unk_token": UNK,
        "clean_up_tokenization_spaces": False,
    }
    text = json.dumps(tokenizer_json(), ensure_ascii=False, indent=1)
    (folder / "tokenizer.json").write_text(text + "\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
