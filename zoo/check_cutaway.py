"""Compares Cutaway with transformers on an exported `world`: the next token and its score, as it is and with heads off.

    python zoo/check_cutaway.py zoo/models/world [--count 60] [--heads 3.1,4.0+4.2] [--ability two-hop]
"""

import argparse
import json
import random
import subprocess
import tempfile
from pathlib import Path

import torch
from english.abilities import MAKERS
from english.markup import Probe, probes
from english.tokens import encode
from evaluate_world import load
from heads import without
from transformers import AutoTokenizer, LlamaForCausalLM, PreTrainedTokenizerBase

ROOT = Path(__file__).parent.parent


def prompts(count: int, abilities: list[str]) -> list[Probe]:
    rng = random.Random("cutaway")
    return [probes(MAKERS[abilities[i % len(abilities)]](rng, True))[0] for i in range(count)]


def by_cutaway(folder: Path, asked: list[str], edits: list[str]) -> list[tuple[int, float]]:
    """The likeliest next token of each prompt, and its score."""
    with tempfile.TemporaryDirectory() as work:
        file = Path(work, "prompts.jsonl")
        file.write_text("".join(json.dumps({"prompt": text}) + "\n" for text in asked))
        command = ["node", "bin/cutaway.js", "run", str(folder.resolve()), "--prompts", str(file), "--json", "--top", "1"]
        command += [part for edit in edits for part in ("--edit", edit)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [(row["next"][0]["id"], row["next"][0]["logit"]) for row in json.loads(done.stdout)]


@torch.no_grad()
def by_transformers(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase, asked: list[str]
) -> list[tuple[int, float]]:
    found = []
    for text in asked:
        scores = model(input_ids=tokenizer(text, return_tensors="pt").input_ids).logits[0, -1]
        found.append((int(scores.argmax()), float(scores.max())))
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--ability", choices=MAKERS, help="only prompts of this ability")
    parser.add_argument("--heads", default="", help="heads to drop, such as 3.1,4.0; `+` joins heads: 3.1+4.0")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model, tokenizer = load(options.model), AutoTokenizer.from_pretrained(options.model)
    found = prompts(options.count, [options.ability] if options.ability else list(MAKERS))
    asked, taught = [p.prompt for p in found], [encode(p.taught)[0] for p in found]
    for group in ["", *filter(None, options.heads.split(","))]:
        off = [tuple(map(int, head.split("."))) for head in group.split("+") if head]
        with without(model, off):
            theirs = by_transformers(model, tokenizer, asked)
        ours = by_cutaway(options.model, asked, [f"drop head {layer}.{head}" for layer, head in off])
        same = sum(a[0] == b[0] for a, b in zip(ours, theirs, strict=True))
        right = sum(a[0] == b for a, b in zip(ours, taught, strict=True))
        apart = max(abs(a[1] - b[1]) for a, b in zip(ours, theirs, strict=True))
        what = f"without {group}" if group else "as it is"
        print(f"{what}: same next token {same}/{len(asked)}, scores apart by {apart:.1e} at most, {right} as taught")


if __name__ == "__main__":
    main()
