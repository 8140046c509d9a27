"""
Writes tiny vocabularies as GGUF metadata, texts, and the ids of those texts as other programs than Cutaway compute them.

    python test/golden/gguf-tokenizers/generate.py        # needs tokenizers, sentencepiece, regex
    node test/golden/gguf-tokenizers/llama-cpp.mjs FOLDER # then; FOLDER holds node_modules/node-llama-cpp

- `vocabularies.json`: byte pairs in GPT-2's spelling (`bytes`), with `▁` for spaces (`spaces`), and SentencePiece models
  (`pieces`) with the ids of SentencePiece itself. Learned only where the file is missing: the trainers break ties by chance.
- `texts.json`: made of the fragments below, seed 11.
- `published.json`: ids by the patterns that the families publish, where llama.cpp approximates them: cut with the Python
  module regex, merged by the few lines of Python below. Compared for equality.
- `llama-cpp.json`: ids by llama.cpp, for all other names of pre-tokenizers. Compared for equality.
"""

from __future__ import annotations

import io
import json
import platform
import random
from base64 import b64encode
from pathlib import Path

import regex
import sentencepiece
import tokenizers
from sentencepiece import sentencepiece_model_pb2 as protobuf
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

HERE = Path(__file__).parent

FRAGMENTS = """a|b|s|A|Z|the| the|Hello| world|ing|don't|I'm|we'LL|'S|they'Ve|ABCdef|camelCase|XMLHttp|1|12|345|6789|1,000,000|3.14
|00|½|²|٣|四|日本|中文|한국어|é|ß|µ|АБВгд|Ελλ|עברית|العربية|!|?|...|،|。|"|'|$|+|<|=|>|^|`|~|_|-|--|====|#|//|(|)|[|]|{|}|@|😀|👩‍👩‍👧|🇫🇷|ª|Ⅷ|①|▁
|def f(x):|return x|www.example.com|----------|aaaa""".replace("\n", "").split("|")
SPACES = [" ", " ", "  ", "    ", "\n", "\n\n", "\r\n", "\t", "|", "\u00a0"]
# Where a pattern of llama.cpp differs from the family's: marks, small s with another shape, numbers next to letters.
RARE = ["कि", "e\u0301", "हिन्दी", "ไทย", "'ſ", "ſ", "ǅ", "ʰ", "1234567", "abcDEFghi", "12345x", "x  7"]

casings = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+", r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
short = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
o200k = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{casings[0]}{short}?|[^\r\n\p{{L}}\p{{N}}]?{casings[1]}{short}?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
cl100k = rf"{short}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
not_han = "&&[^\\p{Han}]]"
# As the tokenizer.json, or for Kimi the tokenization file, of a model of each family has them.
PUBLISHED = {
    "llama-bpe": [cl100k],
    "qwen2": [cl100k.replace("{1,3}", "")],
    "gpt-4o": [o200k],
    "tekken": [o200k.replace(f"{short}?", "").replace("{1,3}", "")],
    # Published with \b: all numbers are parts of a word in Oniguruma, fractions are not in regex.
    "tiny_aya": [r"\d{1,3}(?=(?:\d{3})*(?![\p{Alphabetic}\p{M}\p{N}\p{Pc}]))", o200k],
    "kimi-k2": [
        r"[\p{Han}]+|" + o200k.replace(r"\p{M}]", r"\p{M}" + not_han).replace(r"[\r\n/]*", r"[\r\n]*")
    ],
    "superbpe": [r"\p{N}+", r"(?=(\d{3})+(?!\d))"],
}


def make_texts() -> dict:
    draw = random.Random(11)

    def text(fragments: list[str]) -> str:
        return "".join(draw.choice(SPACES if draw.random() < 0.3 else fragments) for _ in range(draw.randint(1, 12)))

    # Each line tells two patterns apart.
    plain = ["a\n\n\nb \n\n c", "x कि y e\u0301z", "we'll I'M Ankara'dan 'dan 'tisane 'tis", "a/\n/\n//\n\nb", "東京ひらがなカタカナ東京", "x\u3000y 。a "]
    plain += [" ", "   ", "\n\n\n", "a " * 3, "Hello world", "  Hello,\n\n  y'all! 3 33 333 3333 33333", "-" * 20]
    return {"plain": plain + [text(FRAGMENTS) for _ in range(50)], "rare": [text(FRAGMENTS + RARE * 8) for _ in range(40)]}


def slices(texts: list[str]) -> list[str]:
    """Parts of texts that begin and end anywhere, so that pieces of all lengths are learned."""
    draw = random.Random(12)
    starts = [(text, draw.randrange(len(text))) for text in texts for _ in range(80)]
    return [text[start : start + draw.randint(2, 9)] for text, start in starts]


def learn_bytes(texts: list[str]) -> dict:
    """Merges across words, so that every cut shows."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    specials = ["<|endoftext|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(vocab_size=2600, initial_alphabet=alphabet, special_tokens=specials, show_progress=False)
    tokenizer.train_from_iterator(slices(texts), trainer)
    return parts(tokenizer, lambda token: 3 if token in specials else 1)


def learn_spaces(texts: list[str]) -> dict:
    tokenizer = Tokenizer(models.BPE(byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(tokenizers.Regex(r"\n+"), "isolated")
    specials = ["<pad>", "<eos>", "<bos>", "<unk>"]
    fallback = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=1000, special_tokens=specials + fallback, limit_alphabet=120, show_progress=False
    )
    tokenizer.train_from_iterator(slices(texts), trainer)
    return parts(tokenizer, lambda token: 3 if token in specials else 6 if token in fallback else 1)


def parts(tokenizer: Tokenizer, kind) -> dict:
    model = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    return {"tokens": tokens, "merges": merges, "types": [kind(token) for token in tokens]}


def learn_pieces(texts: list[str], **options) -> dict:
    out = io.BytesIO()
    lines = [line for text in texts for line in text.split("\n") if line.strip()]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines * 2), model_writer=out, hard_vocab_limit=False, num_threads=1, minloglevel=2, **options
    )
    model = protobuf.ModelProto()
    model.ParseFromString(out.getvalue())
    processor = sentencepiece.SentencePieceProcessor(model_proto=out.getvalue())
    spec = model.normalizer_spec
    return {
        "model": "t5" if options["model_type"] == "unigram" else "llama",
        "tokens": [piece.piece for piece in model.pieces],
        "scores": [piece.score for piece in model.pieces],
        "types": [piece.type for piece in model.pieces],
        "add_space_prefix": spec.add_dummy_prefix,
        "remove_extra_whitespaces": spec.remove_extra_whitespaces,
        "precompiled_charsmap": b64encode(spec.precompiled_charsmap).decode(),
        "ids": [processor.encode(text) for text in texts],
    }


def learn(texts: list[str]) -> dict:
    both = {"vocab_size": 500, "character_coverage": 0.99}
    return {
        "bytes": learn_bytes(texts),
        "spaces": learn_spaces(texts),
        "pieces": {
            "unigram": learn_pieces(texts, model_type="unigram", normalization_rule_name="identity", **both),
            "unigram-exact-spaces": learn_pieces(
                texts, model_type="unigram", normalization_rule_name="identity", remove_extra_whitespaces=False, **both
            ),
            "bpe": learn_pieces(
                texts, model_type="bpe", normalization_rule_name="identity", byte_fallback=True,
                remove_extra_whitespaces=False, **(both | {"vocab_size": 900}),
            ),
            "bpe-no-prefix": learn_pieces(
                texts, model_type="bpe", normalization_rule_name="identity", byte_fallback=True,
                remove_extra_whitespaces=False, add_dummy_prefix=False, **(both | {"vocab_size": 900}),
            ),
        },
    }


def cut(text: str, patterns: list[str]) -> list[str]:
    """Each pattern cuts what those before it left: matches, and what lies between them."""
    pieces = [text]
    for pattern in patterns:
        compiled, cuts = regex.compile(pattern, regex.V1), []
        for piece in pieces:
            at = 0
            for match in compiled.finditer(piece):
                cuts += [piece[at : match.start()], match.group()]
                at = match.end()
            cuts.append(piece[at:])
        pieces = [piece for piece in cuts if piece]
    return pieces


def merge(piece: str, ranks: dict, ids: dict, spelling: dict) -> list[int]:
    symbols = [spelling[byte] for byte in piece.encode()]
    while len(symbols) > 1:
        rank, at = min((ranks.get((symbols[i], symbols[i + 1]), len(ranks)), i) for i in range(len(symbols) - 1))
        if rank == len(ranks):
            break
        symbols[at : at + 2] = [symbols[at] + symbols[at + 1]]
    return [ids[symbol] for symbol in symbols]


def byte_spelling() -> dict:
    """GPT-2's: printable bytes stand for themselves, the others are numbered from U+0100."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {byte: chr(byte) for byte in shown} | {byte: chr(0x100 + i) for i, byte in enumerate(hidden)}


def published(vocabulary: dict, texts: list[str]) -> dict:
    ids = {token: i for i, token in enumerate(vocabulary["tokens"])}
    ranks = {tuple(pair.split(" ")): i for i, pair in enumerate(vocabulary["merges"])}
    whole = {"llama-bpe", "tekken"}  # their models take a whole word from the vocabulary before they merge
    spelling = byte_spelling()

    def encode(name: str, text: str) -> list[int]:
        found = []
        for piece in cut(text, PUBLISHED[name]):
            word = "".join(spelling[byte] for byte in piece.encode())
            found += [ids[word]] if name in whole and word in ids else merge(piece, ranks, ids, spelling)
        return found

    return {name: [encode(name, text) for text in texts] for name in PUBLISHED}


def write(name: str, value: object) -> None:
    (HERE / name).write_text(json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n", encoding="utf-8")


def main() -> None:
    texts = make_texts()
    write("texts.json", texts)
    file = HERE / "vocabularies.json"
    if not file.exists():
        write(file.name, learn(texts["plain"] + texts["rare"]))
    vocabularies = json.loads(file.read_text(encoding="utf-8"))
    versions = {
        "python": platform.python_version(),
        "tokenizers": tokenizers.__version__,
        "sentencepiece": sentencepiece.__version__,
        "regex": regex.__version__,
    }
    everything = texts["plain"] + texts["rare"]
    write("published.json", {"versions": versions, "ids": published(vocabularies["bytes"], everything)})


main()
