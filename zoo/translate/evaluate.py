"""Measures a trained `translate`: exact sentences, planted mistakes, alignment of the cross heads, ablations.

    python evaluate.py MODEL --out results.json       MODEL: an exported folder, or a checkpoint of train.py
"""

import argparse
import json
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path

import torch
from cases import NEIGHBOURS, beside, held_out, mistaken, unseen_pairs
from grammar import MISTAKES, Sentence
from lexicon import ARTICLES
from tokens import EOS_ID, IDS, PAD_ID, SPACE, encode
from train import make_model, padded
from transformers import T5ForConditionalGeneration

BATCH = 100


def load(path: Path) -> T5ForConditionalGeneration:
    if path.is_dir():
        return T5ForConditionalGeneration.from_pretrained(path, dtype=torch.float32).eval()
    model = make_model()
    model.load_state_dict(torch.load(path, weights_only=True)["model"])
    return model.eval()


def batches(sentences: list[Sentence]):
    """By length, with the places of the sentences in the list."""
    order = sorted(range(len(sentences)), key=lambda i: len(sentences[i].velo))
    for at in range(0, len(order), BATCH):
        yield order[at : at + BATCH]


@torch.inference_mode()
def translate(model, sentences: list[Sentence]) -> list[list[int]]:
    """Greedy translations, ids without the end mark."""
    out: list[list[int]] = [[] for _ in sentences]
    for places in batches(sentences):
        source = padded([encode(sentences[i].velo) for i in places], PAD_ID)
        mask = source.ne(PAD_ID).long()
        made = model.generate(input_ids=source, attention_mask=mask, max_new_tokens=44, do_sample=False, num_beams=1)
        for i, row in zip(places, made[:, 1:].tolist()):
            out[i] = row[: row.index(EOS_ID)] if EOS_ID in row else row
    return out


def wanted(targets) -> list[int]:
    return encode(t.text for t in targets)[:-1]


def exact(model, sentences: list[Sentence], taught: bool = False) -> list[bool]:
    made = translate(model, sentences)
    return [ids == wanted(s.taught if taught else s.truth) for ids, s in zip(made, sentences)]


def share(flags: list[bool]) -> dict:
    return {"n": len(flags), "share": round(sum(flags) / max(1, len(flags)), 4)}


def accuracies(model, count: int) -> dict:
    sentences, unseen = held_out(count), unseen_pairs(count // 3)
    right = exact(model, sentences)
    forms, lengths = defaultdict(list), defaultdict(list)
    for ok, s in zip(right, sentences):
        forms[s.form].append(ok)
        lengths[f"{len(s.velo) // 5 * 5}-{len(s.velo) // 5 * 5 + 4} words"].append(ok)
    return {
        "held out": share(right),
        "unseen pairs": share(exact(model, unseen)),
        "by form": {name: share(flags) for name, flags in sorted(forms.items())},
        "by length": {name: share(flags) for name, flags in sorted(lengths.items(), key=lambda p: int(p[0].split("-")[0]))},
    }


def mistakes(model, count: int) -> dict:
    """Made: the whole sentence as it was taught. Right: the whole sentence as it should be."""
    out = {}
    for name in MISTAKES:
        cases = mistaken(name, count)
        out[name] = {"made": share(exact(model, cases, taught=True)), "right": share(exact(model, cases))}
        out[name]["beside"] = {"what": NEIGHBOURS[name][0], **share(exact(model, beside(name, count)))}
    return out


@torch.inference_mode()
def alignment(model, sentences: list[Sentence]) -> dict:
    """Argmax of each cross head against the truth.

    `written`: at the position that is about to write a word, the head looks at what that word stands for;
    `agrees`: at what decides its form (words that agree only); `either`: at one of the two; `read`: at what the word
    just read stands for. `mean`: the mean of a layer's heads.
    """
    hits: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for places in batches(sentences):
        part = [sentences[i] for i in places]
        source = padded([encode(s.velo) for s in part], PAD_ID)
        labels = padded([encode(t.text for t in s.truth) for s in part], -100)
        mask = source.ne(PAD_ID).long()
        made = model(input_ids=source, attention_mask=mask, labels=labels, output_attentions=True, use_cache=False)
        for layer, pattern in enumerate(made.cross_attentions):
            looked = torch.cat([pattern, pattern.mean(1, keepdim=True)], 1).argmax(-1)  # [sentence, head, query]
            for row, s in enumerate(part):
                for head, name in enumerate((*range(looked.shape[1] - 1), "mean")):
                    note(hits[f"{layer}.{name}"], looked[row, head].tolist(), s)
    return {head: {k: share(v) for k, v in sorted(kinds.items())} for head, kinds in sorted(hits.items())}


def note(hits: dict[str, list[bool]], looked: list[int], s: Sentence) -> None:
    for at, t in enumerate(s.truth):
        hits["written"].append(looked[at] == t.source)
        hits["read"].append(looked[at + 1] == t.source)
        hits[f"written: {t.kind}"].append(looked[at] == t.source)
        hits["either"].append(looked[at] in (t.source, t.agrees))
        if t.agrees is not None and t.agrees != t.source:
            hits["agrees"].append(looked[at] == t.agrees)
            hits[f"agrees: {t.kind}"].append(looked[at] == t.agrees)


@contextmanager
def without(model, heads: list[tuple[int, int]]):
    """The cross heads (layer, head) add nothing."""

    def dropping(head: int):
        def hook(module, args):
            z = args[0].clone()
            size = z.shape[-1] // model.config.num_heads
            z[..., head * size : (head + 1) * size] = 0
            return (z,)

        return hook

    cross = [block.layer[1].EncDecAttention.o for block in model.decoder.block]
    handles = [cross[layer].register_forward_pre_hook(dropping(head)) for layer, head in heads]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def ablations(model, sentences: list[Sentence], groups: list[str]) -> dict:
    """Exact sentences, and words after true ones, with nothing, one cross head, a layer of them, or a group switched off."""
    layers, heads = range(model.config.num_decoder_layers), range(model.config.num_heads)
    singles = [f"{layer}.{head}" for layer in layers for head in heads]
    whole = ["+".join(f"{layer}.{head}" for head in heads) for layer in layers]
    out = {}
    for name in ["", *singles, *whole, *groups]:
        off = [(int(layer), int(head)) for layer, head in (part.split(".") for part in name.split("+") if part)]
        with without(model, off):
            out[name or "none"] = {"exact": share(exact(model, sentences)), **words_right(model, sentences)}
    return out


def first_choices(model, sentences: list[Sentence]):
    """Each word with the id that is the first choice for it, after the true words before it."""
    for places in batches(sentences):
        part = [sentences[i] for i in places]
        source = padded([encode(s.velo) for s in part], PAD_ID)
        labels = padded([encode(t.text for t in s.truth) for s in part], -100)
        with torch.inference_mode():
            made = model(input_ids=source, attention_mask=source.ne(PAD_ID).long(), labels=labels, use_cache=False)
        for s, row in zip(part, made.logits.argmax(-1).tolist()):
            yield from zip(s.truth, row)


def words_right(model, sentences: list[Sentence]) -> dict:
    """Of each kind of word, how many are the first choice; and what is wrong with articles that are not."""
    kinds: dict[str, list[bool]] = defaultdict(list)
    faults = dict.fromkeys(("definiteness", "gender", "number", "no article"), 0)
    meant = {IDS[SPACE + text]: form for form, text in ARTICLES.items()}
    for t, made in first_choices(model, sentences):
        true = encode([t.text])[0]
        kinds[t.kind].append(made == true)
        if t.kind == "article" and made != true:
            form = meant.get(made)
            wrong = [name for name, a, b in zip(faults, meant[true], form) if a != b] if form else ["no article"]
            for name in wrong:
                faults[name] += 1
    words = {kind: share(flags)["share"] for kind, flags in sorted(kinds.items())}
    return {"words": words, "articles": {"n": len(kinds["article"])} | faults}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--count", type=int, default=1500)
    parser.add_argument("--quick", action="store_true", help="accuracies alone")
    parser.add_argument("--groups", default="", help="cross heads to switch off together, such as '1.0+2.2 1.1+2.3'")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    model, count = load(options.model), options.count
    results = accuracies(model, count)
    if not options.quick:
        results["mistakes"] = mistakes(model, max(20, count * 2 // 15))
        results["alignment"] = alignment(model, held_out(max(20, count // 3)))
        results["ablations"] = ablations(model, held_out(max(20, count // 5)), options.groups.split())
    text = json.dumps(results, indent=1)
    print(text)
    if options.out:
        options.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
