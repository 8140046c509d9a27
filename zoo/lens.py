"""Measures what the logit lens says in `world` after each layer: the steps of two hops, and whose a word is.

    python zoo/lens.py CHECKPOINT_OR_FOLDER [--count 500] [--json FILE]
"""

import argparse
import json
import random
from pathlib import Path

import torch
from batches import row
from english.abilities import MAKERS
from english.tokens import BOS, PAD, encode
from evaluate_world import held_out, load
from transformers import LlamaForCausalLM


@torch.no_grad()
def scores_by_layer(model: LlamaForCausalLM, ids: list[int]) -> torch.Tensor:
    """The scores of all words after each layer, at each place: layer, place, word."""
    hidden = model(input_ids=torch.tensor([ids]), output_hidden_states=True, use_cache=False).hidden_states
    return torch.cat([model.lm_head(model.model.norm(torch.cat(hidden[1:-1]))), model.lm_head(hidden[-1])])


def hops_by_layer(model: LlamaForCausalLM, count: int) -> dict[str, list[float]]:
    """At the last word of held-out two hops: the share of prompts where the bridge is said, and the place."""
    asked = held_out("two-hop", count, lambda p: True)
    said = torch.stack([scores_by_layer(model, [BOS, *encode(p.prompt)])[:, -1].argmax(-1) for p in asked])
    wanted = {name: torch.tensor([encode(getattr(p, name))[0] for p in asked]) for name in ("bridge", "truth")}
    return {name: (said == words[:, None]).float().mean(0).tolist() for name, words in wanted.items()}


def owners_by_layer(model: LlamaForCausalLM, count: int) -> dict[str, list[float]]:
    """At words with an owner: the share where the owner is said, before all words but the one that stands there."""
    found = {}
    for ability in ("where", "two-hop", "parts", "induction"):
        rng, said = random.Random(f"owners {ability}"), []
        for _ in range(count):
            text = row(ability, MAKERS[ability](rng, True))
            scores = scores_by_layer(model, text.ids)
            scores[:, range(len(text.ids)), text.ids] = float("-inf")
            owners = torch.tensor(text.owners)
            said.append((scores.argmax(-1) == owners)[:, owners != PAD])
        found[ability] = torch.cat(said, 1).float().mean(1).tolist()
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    world = load(options.model)
    measured = {"two hops": hops_by_layer(world, options.count), "owners": owners_by_layer(world, options.count // 5)}
    rounded = {kind: {k: [round(x, 3) for x in v] for k, v in rows.items()} for kind, rows in measured.items()}
    print(json.dumps(rounded, indent=1))
    if options.json:
        options.json.write_text(json.dumps(rounded, indent=1) + "\n")
