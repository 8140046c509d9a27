"""Finds which heads of `world` do what: their attention, and what is lost when each is switched off.

    python zoo/heads.py CHECKPOINT_OR_FOLDER [--count 200] [--json FILE]
"""

import argparse
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from english.abilities import INDUCED, MAKERS
from english.lexicon import PEOPLE
from english.tokens import BOS, encode
from evaluate_world import answers, held_out, load, score
from transformers import LlamaForCausalLM

ABLATED = ("induction", "indirect", "where", "two-hop", "stories", "agreement", "sums")
BEST = 3
FIRM = 0.5  # who gives more of its attention does what the score is of


@contextmanager
def without(model: LlamaForCausalLM, heads: list[tuple[int, int]]) -> Iterator[None]:
    """Within it these heads write nothing: what `drop head LAYER.HEAD` does."""
    width = model.config.head_dim

    def hook(layer: int):
        def silence(_module, inputs):
            z = inputs[0].clone()
            for at, head in heads:
                if at == layer:
                    z[..., head * width : (head + 1) * width] = 0
            return (z,)

        return silence

    hooks = [
        model.model.layers[layer].self_attn.o_proj.register_forward_pre_hook(hook(layer))
        for layer in {layer for layer, _ in heads}
    ]
    try:
        yield
    finally:
        for handle in hooks:
            handle.remove()


@torch.no_grad()
def patterns(model: LlamaForCausalLM, ids: list[int]) -> list[torch.Tensor]:
    """Each layer's attention, head by query by key."""
    return [a[0] for a in model(input_ids=torch.tensor([ids]), output_attentions=True, use_cache=False).attentions]


def repeated_scores(model: LlamaForCausalLM, count: int) -> dict[str, torch.Tensor]:
    """On random words said twice: attention to the previous word, and to the word after the same word before."""
    rng = random.Random("repeated")
    sums = {"previous": 0.0, "induction": 0.0, "same word": 0.0}
    for _ in range(count):
        words = [i for word in rng.sample(INDUCED, 10) for i in encode(" " + word)]
        n = len(words)
        found = torch.stack(patterns(model, [BOS, *words, *words]))
        queries = torch.arange(n + 2, 2 * n)  # the first repeated word has nothing to go on
        sums["previous"] += found[:, :, queries, queries - 1].mean(-1) / count
        sums["induction"] += found[:, :, queries, queries - n + 1].mean(-1) / count
        sums["same word"] += found[:, :, queries, queries - n].mean(-1) / count
    return sums


def direct(model: LlamaForCausalLM, z: torch.Tensor, layer: int, scale: torch.Tensor) -> torch.Tensor:
    """What each head adds to the scores of all tokens, past no other layer: head by token."""
    heads = model.config.num_attention_heads
    out = model.model.layers[layer].self_attn.o_proj.weight.view(model.config.hidden_size, heads, -1)
    written = torch.einsum("dhk,hk->hd", out, z.view(heads, -1))
    return (written * scale * model.model.norm.weight) @ model.lm_head.weight.T


@torch.no_grad()
def mover_scores(model: LlamaForCausalLM, count: int) -> dict[str, torch.Tensor]:
    """On indirect objects, at the last word: attention to the name asked for, to the other name, and each head's own
    difference between the scores of the two."""
    rng = random.Random("movers")
    sums = {"to the taker": 0.0, "to the giver, second": 0.0, "writes the taker": 0.0}
    for _ in range(count):
        a, b = rng.sample(PEOPLE, 2)
        first, second = rng.sample((a, b), 2)
        ids = [BOS, *encode(f"Then {first} and {second} went to the market. {b} gave a basket to")]
        taker, giver = encode(" " + a)[0], encode(" " + b)[0]
        zs: list[torch.Tensor] = []
        hooks = [
            layer.self_attn.o_proj.register_forward_pre_hook(lambda _m, x: zs.append(x[0][0, -1]))
            for layer in model.model.layers
        ]
        hidden: list[torch.Tensor] = []
        hooks.append(model.model.norm.register_forward_pre_hook(lambda _m, x: hidden.append(x[0][0, -1])))
        found = torch.stack(patterns(model, ids))[:, :, -1]
        for handle in hooks:
            handle.remove()
        scale = torch.rsqrt(hidden[0].pow(2).mean() + model.config.rms_norm_eps)
        added = torch.stack([direct(model, z, layer, scale) for layer, z in enumerate(zs)])
        sums["to the taker"] += found[:, :, ids.index(taker)] / count
        sums["to the giver, second"] += found[:, :, ids.index(giver, 6)] / count
        sums["writes the taker"] += (added[:, :, taker] - added[:, :, giver]) / count
    return sums


def hop_scores(model: LlamaForCausalLM, count: int) -> dict[str, torch.Tensor]:
    """On two hops, at the last word: attention to where the first leads (the key that Tom has), and the second."""
    asked = held_out("two-hop", count, lambda p: True)
    owning = {encode(word)[0] for word in (" has", " keeps")}
    sums = {"first hop": 0.0, "second hop": 0.0}
    for probe in asked:
        ids, bridge = [BOS, *encode(probe.prompt)], encode(probe.bridge)[0]
        found = torch.stack(patterns(model, ids))[:, :, -1]
        through = next(i for i, word in enumerate(ids) if word == bridge and ids[i - 2] in owning)
        sums["first hop"] += found[:, :, through] / len(asked)
        sums["second hop"] += found[:, :, ids.index(encode(probe.truth)[0])] / len(asked)
    return sums


def ablations(model: LlamaForCausalLM, count: int, groups: dict[str, list[tuple[int, int]]]) -> dict[str, dict]:
    """The share of true answers of each ability with nothing switched off, and with each group of heads off."""
    asked = {name: held_out(name, count, lambda p: not p.mistake) for name in ABLATED if name in MAKERS}
    found = {}
    for label, off in {"none": [], **groups}.items():
        with without(model, off):
            found[label] = {
                name: round(score(name, probes, answers(model, probes), "truth").share, 4)
                for name, probes in asked.items()
            }
        print(label, found[label], flush=True)
    return found


def groups_of(scores: dict[str, torch.Tensor]) -> dict[str, list[tuple[int, int]]]:
    """The heads of each score: one by one, and together; and some of the later layers that are best at nothing."""
    best = {name: (scores[name] > FIRM).nonzero() for name in ("previous", "induction", "first hop", "second hop")}
    written = scores["writes the taker"]
    best["writes the taker"] = torch.stack(torch.unravel_index(written.flatten().topk(BEST).indices, written.shape), 1)
    best = {name: [tuple(head) for head in heads.tolist()] for name, heads in best.items()}
    single = sorted({head for heads in best.values() for head in heads})
    layers, count = scores["previous"].shape
    idle = [(la, h) for la in range(layers // 2, layers) for h in range(count) if (la, h) not in single]
    idle.sort(key=lambda at: sum(float(scores[name][at].abs()) for name in best))
    groups = {f"{layer}.{head}": [(layer, head)] for layer, head in single}
    return groups | {f"best: {name}": heads for name, heads in best.items()} | {"none of them": idle[:BEST]}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = load(options.model)
    model.set_attn_implementation("eager")
    scores = repeated_scores(model, 50) | mover_scores(model, 100) | hop_scores(model, 100)
    for name, table in scores.items():
        top = table.flatten().topk(5)
        width = table.shape[1]
        print(name, ", ".join(f"{i // width}.{i % width} {v:.3f}" for v, i in zip(top.values, top.indices.tolist())))
    lost = ablations(model, options.count, groups_of(scores))
    if options.json:
        tables = {name: [[round(v, 4) for v in row] for row in table.tolist()] for name, table in scores.items()}
        options.json.write_text(json.dumps({"attention": tables, "ablation": lost}, indent=1) + "\n")


if __name__ == "__main__":
    main()
