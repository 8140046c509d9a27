"""
Writes tiny vocabularies in the files that are older than tokenizer.json, and the ids that the libraries they come from
give: transformers' fast tokenizers for byte pairs and WordPiece; for SentencePiece its own library (without special
tokens) and transformers' slow tokenizers, which call it (with them).

    python test/golden/tokenizers/vocabularies.py [PATH OF shared/data]

A vocabulary is learned, from the corpus of generate.py, only where its folder is missing. `vocabularies.json` names the
versions. Places are UTF-16 offsets, null for a token that the template puts in; they are kept where the fast tokenizer
is the reference.

What transformers does that one would not expect:

- The slow T5 tokenizer adds no `</s>` to a text that ends with one; the fast one, and Cutaway, do. Such texts are left
  out here.
- Its fast tokenizers of SentencePiece models lose combining marks: `a, acute, grave` keeps one. They are not the
  reference.
- Legacy slow tokenizers of Llama and T5 take away the spaces around special tokens only where the token says so.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

import sentencepiece
import tokenizers
import transformers
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    AutoTokenizer,
    GemmaTokenizer,
    LlamaTokenizer,
    MarianTokenizer,
    MBart50Tokenizer,
    MBartTokenizer,
    PreTrainedTokenizerFast,
    T5Tokenizer,
    XLMRobertaTokenizer,
)

HERE = Path(__file__).parent
FOLDER = HERE / "vocabularies"


def from_generate(name: str):
    """A list of generate.py, which writes files when it is imported as it stands."""
    source = (HERE / "generate.py").read_text(encoding="utf-8")
    scope: dict = {}
    start = source.index(f"\n{name} = [")
    exec(source[start : source.index("\n]", start) + 2] + (" * 4" if name == "CORPUS" else ""), scope)
    return scope[name]


CORPUS = from_generate("CORPUS")
TEXTS = from_generate("TEXTS") + [
    "\t",
    " \n ",
    "a  b   c",
    "…ﬁ½①™",
    "ｶﾞｷﾞ ガギ",
    "한국어 각 \u1100\u1161\u11a8",
    "a\u0323\u0308\u0301 \u0301",
    "a\u200db\u200b \u2060",
    "\u202eabc\u202c שלום",
    "\u0007bell\u007f\u0085",
    "12 345,678.90 ٣٤",
    "a" * 90,
    "the " * 30,
    "  <mask>  the <mask>.<mask>",
    "the <mask>cat [MASK] [SEP]",
    "<s>the</s> cat<pad>",
    "\n<s> the",
    "<extra_id_0> and<extra_id_99>, <extra_id_3>  cat",
    ">>fr<< the cat",
    "the >>fr<< cat",
    "<start_of_turn>user\n\nthe cat<end_of_turn>\n",
    "the<sep>cat <sep> the  <sep>",
    "<|im_start|>user\nthe cat<|im_end|>\n",
    "The Capital ÄÖÜ Éé İı ǅ ẞß",
    "$100 + 5% = ~#@!?",
    "en_XX the cat fr_XX",
    "\ufffd\uffff\ufdd0",
    "e\u0301\u0300e\u0301 ё й",
]


def write(folder: Path, files: dict) -> None:
    for name, value in files.items():
        (folder / name).write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


# Byte pairs


def learn_bytes(folder: Path, first: list[str], last: list[str] = []) -> None:
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    learner.train_from_iterator(
        CORPUS, trainers.BpeTrainer(vocab_size=360, initial_alphabet=alphabet, show_progress=False)
    )
    model = json.loads(learner.to_str())["model"]
    pieces = first + sorted(model["vocab"], key=model["vocab"].get) + last
    vocab = {piece: i for i, piece in enumerate(pieces)}
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False), encoding="utf-8")
    lines = ["#version: 0.2"] + [" ".join(merge) for merge in model["merges"]]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def gpt2(folder: Path) -> None:
    learn_bytes(folder, [], ["<|endoftext|>"])


def roberta(folder: Path) -> None:
    learn_bytes(folder, ["<s>", "<pad>", "</s>", "<unk>"], ["<mask>"])
    mask = {"content": "<mask>", "lstrip": True, "normalized": False, "rstrip": False, "single_word": False}
    write(folder, {"tokenizer_config.json": {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": False}})
    write(folder, {"special_tokens_map.json": {"bos_token": "<s>", "mask_token": mask}})


def bart(folder: Path) -> None:
    learn_bytes(folder, ["<s>", "<pad>", "</s>", "<unk>"], ["<mask>"])
    write(folder, {"config.json": {"model_type": "bart"}})


def opt(folder: Path) -> None:
    learn_bytes(folder, ["<s>", "<pad>", "</s>", "<unk>"])
    token = {"__type": "AddedToken", "lstrip": False, "normalized": True, "rstrip": False, "single_word": False}
    tokens = {name: {**token, "content": "</s>"} for name in ("bos_token", "eos_token", "unk_token")}
    config = {**tokens, "pad_token": "<pad>", "add_bos_token": True, "tokenizer_class": "GPT2Tokenizer"}
    write(folder, {"tokenizer_config.json": config, "config.json": {"model_type": "opt"}})


def qwen2(folder: Path) -> None:
    learn_bytes(folder, [])
    added = {"<|endoftext|>": 360, "<|im_start|>": 361, "<|im_end|>": 362}
    names = {"additional_special_tokens": ["<|im_start|>", "<|im_end|>"], "pad_token": "<|endoftext|>"}
    config = {"tokenizer_class": "Qwen2Tokenizer", "bos_token": None, "eos_token": "<|im_end|>", "unk_token": None}
    decoder = {str(i): {"content": t, "special": True, "normalized": False} for t, i in added.items()}
    write(folder, {"added_tokens.json": added, "tokenizer_config.json": {**config, **names, "added_tokens_decoder": decoder}})


def phi(folder: Path) -> None:
    """As CodeGen: runs of spaces are added tokens, which are not special."""
    learn_bytes(folder, [], ["<|endoftext|>"])
    write(folder, {"added_tokens.json": {"   ": 361, "  ": 362, "<sep>": 363}})
    write(folder, {"tokenizer_config.json": {"tokenizer_class": "CodeGenTokenizer", "add_prefix_space": False}})


def neox(folder: Path) -> None:
    learn_bytes(folder, ["<|endoftext|>"])
    write(folder, {"tokenizer_config.json": {"tokenizer_class": "GPTNeoXTokenizer"}})


def neox_reference(folder: Path) -> PreTrainedTokenizerFast:
    """There is no slow class to convert; this is what GPT-NeoX's published tokenizer.json has."""
    tokenizer = Tokenizer(models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>")


# WordPiece


def learn_words(folder: Path, lowercase: bool) -> None:
    learner = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    learner.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    learner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=240, special_tokens=specials, show_progress=False)
    learner.train_from_iterator(CORPUS, trainer)
    vocab = learner.get_vocab()
    lines = sorted(vocab, key=vocab.get)
    (folder / "vocab.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def bert_cased(folder: Path) -> None:
    learn_words(folder, False)
    write(folder, {"tokenizer_config.json": {"tokenizer_class": "BertTokenizer", "do_lower_case": False}})


def bert_accents(folder: Path) -> None:
    learn_words(folder, True)
    config = {"do_lower_case": True, "strip_accents": False, "tokenize_chinese_chars": False}
    write(folder, {"tokenizer_config.json": {"tokenizer_class": "BertTokenizer", **config}})


def distilbert(folder: Path) -> None:
    learn_words(folder, True)
    write(folder, {"config.json": {"model_type": "distilbert"}})


# SentencePiece


def learn_pieces(file: Path, **options) -> None:
    corpus = file.with_suffix(".corpus")
    corpus.write_text("\n".join(line for text in CORPUS for line in text.split("\n") if line) + "\n", encoding="utf-8")
    arguments = {"num_threads": 1, "minloglevel": 2, "hard_vocab_limit": False, **options}
    SentencePieceTrainer.train(input=str(corpus), model_prefix=str(file.with_suffix("")), **arguments)
    corpus.unlink()
    file.with_suffix(".vocab").unlink()
    trained = file.with_suffix(".model")
    if trained != file:
        trained.rename(file)


T5_IDS = {"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1}
BYTES = {"byte_fallback": True, "normalization_rule_name": "identity", "remove_extra_whitespaces": False}


def t5(folder: Path) -> None:
    """With a full table of replacements."""
    learn_pieces(folder / "spiece.model", vocab_size=150, normalization_rule_name="nmt_nfkc", **T5_IDS)


def t5_extra(folder: Path) -> None:
    """Few extra ids, named in tokenizer_config.json; pieces that users defined."""
    symbols = {"user_defined_symbols": ["<sep>", "»the", "cat"], "normalization_rule_name": "identity"}
    learn_pieces(folder / "spiece.model", vocab_size=150, **symbols, **T5_IDS)
    names = [f"<extra_id_{i}>" for i in range(5)]
    config = {"tokenizer_class": "T5Tokenizer", "extra_ids": 5, "additional_special_tokens": names}
    write(folder, {"tokenizer_config.json": config})


def llama(folder: Path) -> None:
    learn_pieces(folder / "tokenizer.model", model_type="bpe", vocab_size=420, **BYTES)


def llama_suffix(folder: Path) -> None:
    """`</s>` behind, no `<s>`; digits one by one."""
    learn_pieces(folder / "tokenizer.model", model_type="bpe", vocab_size=420, split_digits=True, **BYTES)
    config = {"tokenizer_class": "LlamaTokenizer", "add_bos_token": False, "add_eos_token": True, "legacy": True}
    write(folder, {"tokenizer_config.json": config})


def gemma(folder: Path) -> None:
    turns = ["<start_of_turn>", "<end_of_turn>", "\n\n", "▁▁", "<mask>"]
    ids = {"pad_id": 0, "eos_id": 1, "bos_id": 2, "unk_id": 3, "eos_piece": "<eos>", "bos_piece": "<bos>"}
    options = {"model_type": "bpe", "vocab_size": 430, "add_dummy_prefix": False, "user_defined_symbols": turns}
    learn_pieces(folder / "tokenizer.model", **options, **ids, **BYTES)
    write(folder, {"config.json": {"model_type": "gemma"}})


def xlm_roberta(folder: Path) -> None:
    learn_pieces(folder / "sentencepiece.bpe.model", vocab_size=150, normalization_rule_name="identity")
    write(folder, {"config.json": {"model_type": "xlm-roberta"}})


def mbart(folder: Path) -> None:
    learn_pieces(folder / "sentencepiece.bpe.model", vocab_size=150, normalization_rule_name="identity")
    config = {"tokenizer_class": "MBartTokenizer", "src_lang": "fr_XX", "tgt_lang": "ro_RO"}
    write(folder, {"tokenizer_config.json": config})


def mbart50(folder: Path) -> None:
    learn_pieces(folder / "sentencepiece.bpe.model", vocab_size=150, normalization_rule_name="identity")
    write(folder, {"tokenizer_config.json": {"tokenizer_class": "MBart50Tokenizer"}})


def unigram_bytes(folder: Path) -> None:
    learn_pieces(folder / "own.model", vocab_size=420, **BYTES)


def bpe_rules(folder: Path) -> None:
    """A small table of replacements of its own, with entries that begin alike."""
    rules = folder / "rules.tsv"
    lines = [("41", "61"), ("C4", "61 65"), ("61 308", "61 65"), ("61 308 301", "65"), ("A", "20"), ("200B", "")]
    rules.write_text("".join(f"{key}\t{value}\n" for key, value in lines), encoding="utf-8")
    options = {"model_type": "bpe", "vocab_size": 150, "user_defined_symbols": ["<sep>", "ÄÖ"]}
    learn_pieces(folder / "own.model", normalization_rule_tsv=str(rules), **options)
    rules.unlink()


def marian(folder: Path) -> None:
    learn_pieces(folder / "source.spm", vocab_size=150, normalization_rule_name="identity")
    learn_pieces(folder / "target.spm", vocab_size=90, normalization_rule_name="identity", character_coverage=0.98)
    pieces = ["</s>", "<unk>"]
    for name in ("source.spm", "target.spm"):
        model = SentencePieceProcessor(model_file=str(folder / name))
        pieces += [model.id_to_piece(i) for i in range(3, model.get_piece_size())]
    pieces = list(dict.fromkeys(pieces + [">>fr<<", "😀", "<pad>"]))
    write(folder, {"vocab.json": {piece: i for i, piece in enumerate(pieces)}})
    write(folder, {"tokenizer_config.json": {"source_lang": "en", "target_lang": "roa"}, "config.json": {"model_type": "marian"}})


# Ids


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def encode_fast(tokenizer, text: str, special: bool) -> dict:
    backend = tokenizer.backend_tokenizer
    backend.encode_special_tokens = not special
    encoding = backend.encode(text, add_special_tokens=special)
    places = [
        None if added else [utf16(text[:start]), utf16(text[:end])]
        for added, (start, end) in zip(encoding.special_tokens_mask, encoding.offsets)
    ]
    return {"ids": encoding.ids, "places": places}


def fast_cases(tokenizer) -> list[dict]:
    cases = []
    for text in TEXTS:
        whole, plain = encode_fast(tokenizer, text, True), encode_fast(tokenizer, text, False)
        tokenizer.backend_tokenizer.encode_special_tokens = False
        decoded = tokenizer.backend_tokenizer.decode(whole["ids"], skip_special_tokens=True)
        cases.append({"text": text, "special": whole, "plain": plain, "decoded": decoded})
    return cases


def slow_cases(tokenizer, plain, argument: str = "text") -> list[dict]:
    ends_twice = isinstance(tokenizer, T5Tokenizer)
    texts = [text for text in TEXTS if not (ends_twice and text.rstrip().endswith("</s>"))]
    return [{"text": t, "special": {"ids": tokenizer(**{argument: t})["input_ids"]}, "plain": {"ids": plain(t)}} for t in texts]


def alone_cases(file: Path) -> list[dict]:
    model = SentencePieceProcessor(model_file=str(file))
    return [{"text": text, "plain": {"ids": model.encode(text)}} for text in TEXTS]


def of_model(tokenizer, file: Path, shift=lambda i: i) -> list[dict]:
    model = SentencePieceProcessor(model_file=str(file))
    return slow_cases(tokenizer, lambda text: [shift(i) for i in model.encode(text)])


def marian_cases(folder: Path, side: str) -> list[dict]:
    names = {"source_spm": str(folder / "source.spm"), "target_spm": str(folder / "target.spm")}
    tokenizer = MarianTokenizer(vocab=str(folder / "vocab.json"), **names)
    model = SentencePieceProcessor(model_file=str(folder / f"{side}.spm"))
    vocab = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    plain = lambda text: [vocab.get(piece, vocab["<unk>"]) for piece in model.encode(text, out_type=str)]
    return slow_cases(tokenizer, plain, "text" if side == "source" else "text_target")


LEARNED = [
    gpt2, roberta, bart, opt, qwen2, phi, neox, bert_cased, bert_accents, distilbert,
    t5, t5_extra, llama, llama_suffix, gemma, xlm_roberta, mbart, mbart50, unigram_bytes, bpe_rules, marian,
]  # fmt: skip


def main() -> None:
    transformers.logging.set_verbosity_error()
    for learn in LEARNED:
        folder = FOLDER / learn.__name__.replace("_", "-")
        if not folder.exists():
            folder.mkdir(parents=True)
            learn(folder)
    at = lambda name: FOLDER / name
    auto = ("gpt2", "roberta", "bart", "opt", "qwen2", "phi", "bert-cased", "bert-accents", "distilbert")
    classes = {"gpt2": "gpt2", "phi": "codegen"}
    tiny = {}
    for name in auto:
        more = {"tokenizer_type": classes[name]} if name in classes else {}
        if name in ("bert-cased", "bert-accents"):
            more = {"tokenizer_type": "bert"}
        if name in ("qwen2", "roberta"):
            more = {"tokenizer_type": name}
        tiny[name] = fast_cases(AutoTokenizer.from_pretrained(str(at(name)), use_fast=True, **more))
    tiny["neox"] = fast_cases(neox_reference(at("neox")))
    tiny["t5"] = of_model(T5Tokenizer(str(at("t5/spiece.model")), legacy=True), at("t5/spiece.model"))
    extra = T5Tokenizer.from_pretrained(str(at("t5-extra")), legacy=True)
    tiny["t5-extra"] = of_model(extra, at("t5-extra/spiece.model"))
    tiny["llama"] = of_model(LlamaTokenizer(str(at("llama/tokenizer.model")), legacy=True), at("llama/tokenizer.model"))
    suffix = LlamaTokenizer.from_pretrained(str(at("llama-suffix")))
    tiny["llama-suffix"] = of_model(suffix, at("llama-suffix/tokenizer.model"))
    tiny["gemma"] = of_model(GemmaTokenizer(str(at("gemma/tokenizer.model"))), at("gemma/tokenizer.model"))
    xlm = at("xlm-roberta/sentencepiece.bpe.model")
    tiny["xlm-roberta"] = of_model(XLMRobertaTokenizer(str(xlm)), xlm, lambda i: i + 1 if i else 3)
    for name, kind in (("mbart", MBartTokenizer), ("mbart50", MBart50Tokenizer)):
        tokenizer = kind.from_pretrained(str(at(name)))
        tiny[name] = of_model(tokenizer, at(name) / "sentencepiece.bpe.model", lambda i: i + 1 if i else 3)
    tiny["unigram-bytes"] = alone_cases(at("unigram-bytes/own.model"))
    tiny["bpe-rules"] = alone_cases(at("bpe-rules/own.model"))
    tiny["marian"] = marian_cases(at("marian"), "source")
    tiny["marian/target.spm"] = marian_cases(at("marian"), "target")
    shared = {}
    if len(sys.argv) > 1:
        data = Path(sys.argv[1]) / "tokenizers"
        file = data / "t5/spiece.model"
        shared["tokenizers/t5"] = of_model(T5Tokenizer(str(file), legacy=True), file)
        shared["tokenizers/qwen2"] = fast_cases(AutoTokenizer.from_pretrained(str(data / "qwen2"), tokenizer_type="qwen2"))
    versions = {
        "python": platform.python_version(),
        "tokenizers": tokenizers.__version__,
        "transformers": transformers.__version__,
        "sentencepiece": sentencepiece.__version__,
    }
    golden = {"versions": versions, "tiny": tiny, "shared": shared}
    lines = json.dumps(golden, ensure_ascii=True).replace('{"text"', '\n{"text"')
    (HERE / "vocabularies.json").write_text(lines + "\n", encoding="utf-8")


main()
