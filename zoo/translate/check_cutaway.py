"""Compares `cutaway` with transformers: the same greedy tokens, as the model is and with a cross head dropped.

    python check_cutaway.py MODEL --cutaway "npx cutaway" --count 20 --heads 1.2,2.0
"""

import argparse
import json
import shlex
import subprocess
import tempfile
from pathlib import Path

import torch
from cases import held_out
from evaluate import load, translate, wanted, without
from grammar import Sentence, spelled
from tokens import EOS_ID

NEW_TOKENS = 44


def by_cutaway(command: str, model: Path, sentences: list[Sentence], edits: list[str]) -> list[list[int]]:
    """What `cutaway run` generates: ids up to the end mark."""
    with tempfile.TemporaryDirectory() as folder:
        prompts = Path(folder, "prompts.jsonl")
        prompts.write_text("".join(json.dumps({"prompt": spelled(s.velo)}) + "\n" for s in sentences))
        options = ["--prompts", str(prompts), "--max-new-tokens", str(NEW_TOKENS), "--json", "--quiet"]
        options += [part for edit in edits for part in ("--edit", edit)]
        made = subprocess.run([*shlex.split(command), "run", str(model), *options], check=True, stdout=subprocess.PIPE)
    rows = [result["generated"]["ids"] for result in json.loads(made.stdout)]
    return [row[: row.index(EOS_ID)] if EOS_ID in row else row for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--cutaway", default="npx cutaway")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--heads", default="", help="cross heads to drop, such as 1.2,2.0; `+` joins heads: 1.2+2.0")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model, sentences = load(options.model), held_out(options.count)
    for group in ["", *filter(None, options.heads.split(","))]:
        heads = [tuple(map(int, head.split("."))) for head in group.split("+") if head]
        with without(model, heads):
            theirs = translate(model, sentences)
        edits = [f"drop head decoder.cross.{layer}.{head}" for layer, head in heads]
        ours = by_cutaway(options.cutaway, options.model, sentences, edits)
        same = sum(a == b for a, b in zip(ours, theirs))
        exact = sum(ids == wanted(s.truth) for ids, s in zip(ours, sentences))
        what = f"without {group}" if group else "as it is"
        print(f"{what}: same tokens {same}/{len(sentences)}, exact sentences {exact}/{len(sentences)}")


if __name__ == "__main__":
    main()
