"""Logits before and after each of transformers' own warpers, for src/engine/sampling.

Run with the versions of test/python/requirements.txt: python test/golden/sampling/generate.py
Writes golden.json beside this file. Float32 values are written with nine digits, which is lossless.
"""

import json
import math
import pathlib

import torch
import transformers
from transformers.generation import logits_process as lp

SEED = 20261101


def warpers(options):
    """In the order of GenerationMixin._get_logits_processor."""
    rows = [
        ("repetition-penalty", "repetitionPenalty", lp.RepetitionPenaltyLogitsProcessor),
        ("temperature", "temperature", lp.TemperatureLogitsWarper),
        ("top-k", "topK", lp.TopKLogitsWarper),
        ("top-p", "topP", lp.TopPLogitsWarper),
        ("min-p", "minP", lp.MinPLogitsWarper),
    ]
    return [(name, make(options[key])) for name, key, make in rows if key in options]


def numbers(logits):
    """null stands for -infinity, which JSON has not."""
    return [None if math.isinf(x) else float(f"{x:.9g}") for x in logits.tolist()]


def case(name, logits, previous, options):
    scores = logits[None].clone()
    stages = []
    for stage, warper in warpers(options):
        scores = warper(torch.tensor([previous]), scores)
        stages.append({"name": stage, "logits": numbers(scores[0])})
    return {"name": name, "logits": numbers(logits), "previousIds": previous, "options": options, "stages": stages}


def main():
    torch.manual_seed(SEED)
    flat = torch.zeros(10)
    tied = torch.tensor([1.0, 3.0, 2.0, 2.0, 2.0, -1.0, 0.5, 2.0])
    every = {"repetitionPenalty": 1.3, "temperature": 0.7, "topK": 20, "topP": 0.9, "minP": 0.05}
    cases = [
        case("top-k keeps ties", tied, [0], {"topK": 3}),
        case("top-k beyond the vocabulary", tied, [0], {"topK": 100}),
        case("top-p of equal tokens", flat, [0], {"topP": 0.9}),
        case("top-p of half of equal tokens", flat, [0], {"topP": 0.5}),
        case("top-p with ties", tied, [0], {"topP": 0.6}),
        case("top-p of 1", tied, [0], {"topP": 1.0}),
        case("top-p keeps one token", tied, [0], {"topP": 0.0001}),
        case("min-p of 1", tied, [0], {"minP": 1.0}),
        case("min-p of 0", tied, [0], {"minP": 0.0}),
        case("min-p with ties", tied, [0], {"minP": 0.3}),
        case("a penalty below 1", torch.randn(16), [1, 1, 2, 15], {"repetitionPenalty": 0.5}),
        case("a penalty counts an id once", torch.randn(16), [3, 3, 3], {"repetitionPenalty": 2.0}),
        case("a hot temperature", torch.randn(16), [0], {"temperature": 3.7}),
    ]
    for i in range(12):
        logits = torch.randn(64) * (1 + i)
        previous = torch.randint(0, 64, (9,)).tolist()
        cases.append(case(f"all rules, scale {1 + i}", logits, previous, every))
        pair = {"topP": 0.05 + 0.08 * i, "minP": 0.01 * i}
        cases.append(case(f"top-p and min-p, scale {1 + i}", logits, previous, pair))
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    golden = {"generator": "generate.py", "versions": versions, "seed": SEED, "cases": cases}
    path = pathlib.Path(__file__).with_name("golden.json")
    text = ",\n".join(json.dumps(c) for c in cases)
    head = json.dumps({k: v for k, v in golden.items() if k != "cases"})
    path.write_text(head[:-1] + ', "cases": [\n' + text + "\n]}\n")


if __name__ == "__main__":
    main()
