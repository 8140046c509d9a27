"""How the files of a folder are written."""

from __future__ import annotations

import json
import re
from pathlib import Path


def write_json(path: Path, value: object) -> None:
    """Indented, with lists of plain values on one line."""
    text = json.dumps(value, indent=2)
    path.write_text(re.sub(r"\[[^][{}]*\]", lambda m: re.sub(r"\s+", " ", m[0]), text) + "\n")


def write_tokenizer(path: Path, vocab_size: int) -> None:
    """One word a token: `t17` is id 17."""
    words = {f"t{i}": i for i in range(vocab_size)}
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": None,
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": words, "unk_token": "t0"},
    }
    write_json(path, tokenizer)
