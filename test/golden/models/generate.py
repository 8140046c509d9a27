"""
Writes the tiny random models and what transformers computes with them. See ../README.md.

    python test/golden/models/generate.py            all variants, and the interventions
    python test/golden/models/generate.py NAME ...   some variants, or all of a family
    python test/golden/models/generate.py --check    compares what is written with the transformers installed now
"""

from __future__ import annotations

import copy
import json
import platform
import shutil
import sys
import warnings
from pathlib import Path

import numpy
import safetensors
import torch
import transformers
from capture import LEAST_GAP, Sites, narrowest_gap, recorded
from families import FAMILIES, VARIANTS
from family import VOCAB_SIZE, Family, Variant
from files import write_json, write_tokenizer
from interventions import write_interventions
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

try:
    from transformers.initialization import no_init_weights  # transformers 5
except ImportError:
    from transformers.modeling_utils import no_init_weights

HERE = Path(__file__).parent
#: Of the greedy tokens so many must be distinct, so that generation is seen to go on.
LEAST_DISTINCT = 5
#: Configs that the transformers of VERSIONS reads otherwise than meant: --check agrees under transformers 5 alone.
FOREIGN_LAYOUTS = ("v5-config", "legacy-gelu")
#: Float32 itself may cost no more than this, so that the bound of the tests, 2e-5, is three times what rounding does.
LARGEST_ROUNDING = 6e-6

VERSIONS = {
    "python": platform.python_version(),
    "torch": torch.__version__,
    "transformers": transformers.__version__,
    "safetensors": safetensors.__version__,
    "numpy": numpy.__version__,
}

def family_of(variant: Variant) -> Family:
    return FAMILIES[variant.family]


def class_of(variant: Variant) -> type:
    return variant.model_class or family_of(variant).model_class


def prompts_of(variant: Variant) -> dict:
    return dict(variant.prompts or family_of(variant).prompts)


def build(variant: Variant, seed: int) -> nn.Module:
    """A model with random weights, in the dtype of the variant's file."""
    family, config = family_of(variant), copy.deepcopy(variant.config)  # transformers writes into it
    if not config.get("rope_scaling", True):
        del config["rope_scaling"]
    with no_init_weights():  # which fails for norms without weights
        model = class_of(variant)._from_config(family.config_class(**config), attn_implementation="eager").eval()
    model.tie_weights()  # which is left out with the initial weights
    wide = torch.float64 if variant.dtype == "float64" else torch.float32
    source = torch.Generator().manual_seed(seed)
    model = model.to(wide)
    for name, parameter in model.named_parameters():
        parameter.data.copy_(family.draw(name, parameter.shape, source, wide))
    if hasattr(model, "final_logits_bias"):  # a buffer, yet learned
        model.final_logits_bias.copy_(family.draw("final_logits_bias", model.final_logits_bias.shape, source, wide))
    return model.to(getattr(torch, variant.dtype))


def in_float32(model: nn.Module) -> nn.Module:
    """The model as transformers would load it with dtype float32: rotary frequencies made anew in full precision."""
    config = copy.deepcopy(model.config)
    with no_init_weights():
        fresh = type(model)._from_config(config, dtype=torch.float32, attn_implementation="eager").eval().float()
    fresh.tie_weights()
    fresh.load_state_dict(model.state_dict())
    return fresh


def write_files(variant: Variant, model: nn.Module, folder: Path) -> None:
    """config.json and the weights, laid out as the variant says."""
    sharded = {"max_shard_size": "40KB"} if variant.layout == "sharded" else {}
    model.save_pretrained(folder, **sharded)
    (folder / "generation_config.json").unlink(missing_ok=True)
    path = folder / "config.json"
    config = json.loads(path.read_text())
    if variant.layout != "v5-config" and "dtype" in config:
        config["torch_dtype"] = config.pop("dtype")
    write_json(path, config)
    if variant.tokenizer:
        write_tokenizer(folder / "tokenizer.json", VOCAB_SIZE)
    family_of(variant).finish(variant, folder)


def capture_all(variant: Variant, model: nn.Module, prompt: object) -> Sites:
    """What transformers returns, and every site that can be seen from outside."""
    family, seen = family_of(variant), {}
    with recorded(family.parts(model), seen):
        return {**family.capture(model, prompt), **seen}


def roundings(variant: Variant, stored: nn.Module) -> dict[str, float]:
    return {name: worst_rounding(variant, in_float32(stored), p) for name, p in prompts_of(variant).items()}


def worst_rounding(variant: Variant, model: nn.Module, prompt: object) -> float:
    """The largest difference of any number to the same model in float64: how much float32 itself costs."""
    capture = family_of(variant).capture
    sites = capture(copy.deepcopy(model), prompt)
    model = model.double()
    for module in model.modules():
        if hasattr(module, "reorder_and_upcast_attn"):
            module.reorder_and_upcast_attn = False  # it insists on float32
    wide = capture(model, prompt)
    return max(float((wide[name] - sites[name]).abs().max()) for name in wide)


def generates_well(variant: Variant, model: nn.Module) -> bool:
    """No near ties on the greedy path, and it does not loop at once."""
    generation = family_of(variant).generation
    if not generation:
        return True
    ids, rows = generation.greedy(in_float32(model), generation.prompt, generation.steps)
    _, again = generation.greedy(in_float32(model), generation.prompt, generation.steps, cache=False)
    gap = min(narrowest_gap(rows), narrowest_gap(again))
    return gap >= LEAST_GAP and len(set(ids)) >= LEAST_DISTINCT


def compares_well(variant: Variant, model: nn.Module) -> bool:
    """Float32 rounds little, and no run is near a choice."""
    family = family_of(variant)
    runs = (family.capture(in_float32(model), prompt) for prompt in prompts_of(variant).values())
    return roundings(variant, model)["long"] <= LARGEST_ROUNDING and all(map(family.is_clear, runs))


def choose_seed(variant: Variant) -> tuple[nn.Module, int]:
    """The first seed, from the one used last time or the variant's on, with which everything can be compared."""
    written = HERE / variant.name / "golden.json"
    first = json.loads(written.read_text())["seed"] if written.exists() else variant.seed
    for seed in range(first, first + 200):
        model = build(variant, seed)
        if generates_well(variant, model) and compares_well(variant, model):
            return model, seed
    raise RuntimeError(f"no seed for {variant.name}")


def generated(variant: Variant, stored: nn.Module) -> tuple[dict, Sites]:
    """What greedy generation gives, with a cache and without. Each run has a model of its own."""
    generation = family_of(variant).generation
    if not generation:
        return {}, {}
    prompt, steps = generation.prompt, generation.steps
    ids, rows = generation.greedy(in_float32(stored), prompt, steps)
    assert generation.generate(in_float32(stored), prompt, steps) == ids, f"{variant.name}: generate() differs"
    uncached_ids, uncached_rows = generation.greedy(in_float32(stored), prompt, steps, cache=False)
    told = {"source": prompt["source"], "prompt": prompt["target"]} if isinstance(prompt, dict) else {"prompt": prompt}
    facts = {
        "greedy": {**told, "ids": ids, "narrowestGap": narrowest_gap(rows)},
        "greedyUncached": {**told, "ids": uncached_ids, "narrowestGap": narrowest_gap(uncached_rows)},
    }
    return facts, {"greedy.logits": rows, "greedyUncached.logits": uncached_rows}


def golden(variant: Variant, stored: nn.Module, seed: int) -> tuple[dict, Sites]:
    """What transformers computes. Each run has a model of its own: dynamic NTK keeps state from run to run."""
    capture, prompts = family_of(variant).capture, prompts_of(variant)
    run = {name: capture(in_float32(stored), prompt) for name, prompt in prompts.items()}
    if variant.sites:
        run["long"] = capture_all(variant, in_float32(stored), prompts["long"])
    tensors = {f"{prompt}.{site}": value for prompt, sites in run.items() for site, value in sites.items()}
    generation_facts, generation_tensors = generated(variant, stored)
    facts = {
        "variant": variant.name,
        "family": variant.family,
        "purpose": variant.purpose,
        "versions": VERSIONS,
        "seed": seed,
        "dtype": variant.dtype,
        "parameters": sum(p.numel() for p in stored.parameters()),
        "prompts": prompts,
        **generation_facts,
        "largestLogit": float(run["long"]["logits"].abs().max()),
        "float32Rounding": roundings(variant, stored),
    }
    return facts, tensors | generation_tensors


def write_variant(variant: Variant) -> dict:
    folder = HERE / variant.name
    model, seed = choose_seed(variant)
    shutil.rmtree(folder, ignore_errors=True)
    facts, tensors = golden(variant, model, seed)
    write_files(variant, model, folder)
    tensors_of = [t for file in folder.glob("model*.safetensors") for t in load_file(file).values()]
    stored = {t.dtype for t in tensors_of if t.is_floating_point()}
    assert stored == {getattr(torch, variant.dtype)}, f"{variant.name}: stored as {stored}"
    if variant.edits:
        write_interventions(in_float32(model), folder)
    save_file({name: t.float().contiguous() for name, t in tensors.items()}, folder / "golden.safetensors")
    write_json(folder / "golden.json", facts)
    for file in folder.iterdir():
        file.chmod(0o644)
    if variant.layout not in FOREIGN_LAYOUTS:
        assert check(variant) <= LARGEST_ROUNDING, f"{variant.name}: the files make another model"
    return facts


def check(variant: Variant) -> float:
    """The largest difference of what is written to what the transformers installed now computes from the files."""
    folder, family = HERE / variant.name, family_of(variant)
    facts, expected = json.loads((folder / "golden.json").read_text()), load_file(folder / "golden.safetensors")

    def fresh() -> nn.Module:
        return class_of(variant).from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()

    run = {name: family.capture(fresh(), prompt) for name, prompt in facts["prompts"].items()}
    if variant.sites:
        run["long"] = capture_all(variant, fresh(), facts["prompts"]["long"])
    differences = [
        float((value - expected[f"{prompt}.{site}"]).abs().max())
        for prompt, sites in run.items()
        for site, value in sites.items()
    ]
    if "greedy" in facts:
        ids, _ = family.generation.greedy(fresh(), family.generation.prompt, len(facts["greedy"]["ids"]))
        if ids != facts["greedy"]["ids"]:
            print(f"{variant.name}: greedy ids differ: {ids}")
    return max(differences)


def checked(variant: Variant) -> str:
    try:
        return f"{check(variant):.1e}"
    except (AttributeError, KeyError, ValueError) as error:  # another transformers refuses a config, or moves modules
        return f"refused: {error}"


def main(arguments: list[str]) -> None:
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.set_grad_enabled(False)
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    names = [a for a in arguments if not a.startswith("--")]
    chosen = [v for v in VARIANTS if not names or v.name in names or v.family in names]
    for variant in chosen:
        if "--check" in arguments:
            print(f"{variant.name:32} {checked(variant)}")
        else:
            facts = write_variant(variant)
            print(f"{variant.name:32} seed {facts['seed']:3} rounding {max(facts['float32Rounding'].values()):.1e}")
    if "--check" not in arguments:
        write_manifest()


def write_manifest() -> None:
    """Names all variants whose folders are there."""
    written = [v.name for v in VARIANTS if (HERE / v.name / "golden.json").exists()]
    write_json(HERE / "manifest.json", {"versions": VERSIONS, "variants": written})


if __name__ == "__main__":
    main(sys.argv[1:])
