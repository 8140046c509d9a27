"""
Writes tiny tokenizers of the kinds that models have, and what the Python library tokenizers makes of some texts with
them; with the tokenizers of ../shared/data too, which are not committed.

    python test/golden/tokenizers/generate.py [PATH OF shared/data]

The tiny ones are learned, from the corpus below, only where their file is missing: the library breaks ties between
pieces by chance. Ids, places and decoded texts are compared for equality. Places are UTF-16 offsets; null for a token
that the template puts in. `golden.json` names the versions.
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path

import tokenizers
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = Path(__file__).parent

CORPUS = [
    "The cat sat on the mat, and the dog sat on the cat.",
    "Paris is the capital of France; Rome is the capital of Italy.",
    "Once upon a time there was a little girl who liked to read and to write.",
    "def add(a, b):\n    return a + b\n\n\nprint(add(1, 22))\n",
    "naïve café, fiancée, über, größer, 日本語 と 日本 の 日, привет мир",
] * 4

TEXTS = [
    "",
    " ",
    "  ",
    "\n",
    "The cat sat on the mat.",
    " Paris",
    "   three leading spaces",
    "trailing spaces   ",
    "tabs\tand\nnew\r\nlines\n\n\n",
    "naïve café",
    "cafe\u0301 combining e\u0301\u0300",
    "日本語のテキスト",
    "emoji 😀 and 👩‍👩‍👧‍👦 family 🇫🇷!",
    "😀😀",
    "привет, мир",
    "العربية",
    "हिन्दी",
    "𝒳 𝓎 astral",
    "def add(a, b):\n    return a + b",
    "1234567890",
    "a\u0000b",
    "\ufeffbyte order mark",
    "\u00a0no-break\u2003em space",
    "▁ not a space",
    "<0x41> not a byte",
    "CamelCase isn't it's we'LL",
    "zzzzqqqqxxxx",
    "<|endoftext|> in <s> the [CLS] text </s><tool>x<sep>y [MASK]",
    "a<|endoftext|>b",
]


def train_byte_level() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_special_tokens([AddedToken("<|endoftext|>", normalized=False)])
    return tokenizer


def train_byte_fallback() -> Tokenizer:
    """As Llama 2: bytes for unknown characters, `▁` for spaces, one in front."""
    learner = Tokenizer(models.BPE())
    learner.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    latin = [text for text in CORPUS if text.isascii()]
    learner.train_from_iterator(latin, trainers.BpeTrainer(vocab_size=160, max_token_length=12, show_progress=False))
    model = json.loads(learner.to_str())["model"]
    pieces = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    pieces += sorted(model["vocab"], key=model["vocab"].get)
    merges = [tuple(merge) for merge in model["merges"]]
    vocab = {piece: i for i, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = learner.normalizer
    tokenizer.add_special_tokens([AddedToken(t, normalized=False) for t in ("<unk>", "<s>", "</s>", "<sep>")])
    tokenizer.add_tokens([AddedToken("<tool>", normalized=False)])
    tokenizer.add_special_tokens([AddedToken("<pad>", normalized=True)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)]
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return tokenizer


def train_word_piece() -> Tokenizer:
    """As BERT. Its file asks for texts of one length, which no one who reads values in a model wants."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=260, special_tokens=specials, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.enable_truncation(max_length=8)
    tokenizer.enable_padding(length=8)
    return tokenizer


def train_unigram() -> Tokenizer:
    """As T5."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=200, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    return tokenizer


def gpt2(folder: Path) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.add_special_tokens([AddedToken("<|endoftext|>", normalized=False)])
    return tokenizer


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def plain_reader(tokenizer: Tokenizer) -> Tokenizer:
    """The same, with no special spelling in it: a unigram model would find them among its pieces."""
    parts = json.loads(tokenizer.to_str())
    if parts["model"]["type"] == "Unigram":
        specials = {token["content"] for token in parts["added_tokens"] if token["special"]}
        vocab = parts["model"]["vocab"]
        parts["model"]["vocab"] = [[f"\U0010ffff{i}" if piece in specials else piece, s] for i, (piece, s) in enumerate(vocab)]
        parts["added_tokens"] = [token for token in parts["added_tokens"] if not token["special"]]
    plain = Tokenizer.from_str(json.dumps(parts))
    plain.encode_special_tokens = True
    return plain


def encode(tokenizer: Tokenizer, text: str, special: bool) -> dict:
    encoding = tokenizer.encode(text, add_special_tokens=special)
    places = [
        None if added else [utf16(text[:start]), utf16(text[:end])]
        for added, (start, end) in zip(encoding.special_tokens_mask, encoding.offsets)
    ]
    return {"ids": encoding.ids, "places": places}


def case(tokenizer: Tokenizer, plain_tokenizer: Tokenizer, text: str) -> dict:
    whole, plain = encode(tokenizer, text, True), encode(plain_tokenizer, text, False)
    decoded = tokenizer.decode(whole["ids"], skip_special_tokens=True)
    return {"text": text, "special": whole, "plain": plain, "decoded": decoded}


def cases(tokenizer: Tokenizer) -> list[dict]:
    tokenizer.no_truncation()
    tokenizer.no_padding()
    plain = plain_reader(tokenizer)
    return [case(tokenizer, plain, text) for text in TEXTS]


def main() -> None:
    learned = {
        "byte-level": train_byte_level,
        "byte-fallback": train_byte_fallback,
        "word-piece": train_word_piece,
        "unigram": train_unigram,
    }
    for name, train in learned.items():
        file = HERE / f"{name}.json"
        if not file.exists():
            file.write_text(train().to_str(pretty=False) + "\n", encoding="utf-8")
    tiny = {name: Tokenizer.from_file(str(HERE / f"{name}.json")) for name in learned}
    shared = {}
    if len(sys.argv) > 1:
        data = Path(sys.argv[1])
        for name in ("models/tinystories-656k", "tokenizers/bert-base-uncased"):
            shared[name] = Tokenizer.from_file(str(data / name / "tokenizer.json"))
        shared["tokenizers/gpt2"] = gpt2(data / "tokenizers/gpt2")
    golden = {
        "versions": {"python": platform.python_version(), "tokenizers": tokenizers.__version__},
        "tiny": {name: cases(tokenizer) for name, tokenizer in tiny.items()},
        "shared": {name: cases(tokenizer) for name, tokenizer in shared.items()},
    }
    lines = json.dumps(golden, ensure_ascii=True).replace('{"text"', '\n{"text"')
    (HERE / "golden.json").write_text(lines + "\n", encoding="utf-8")


main()
