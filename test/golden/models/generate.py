"""
Writes the tiny random models and what transformers computes with them. See ../README.md.

    python test/golden/models/generate.py            all variants, and the interventions
    python test/golden/models/generate.py NAME ...   some variants
    python test/golden/models/generate.py --check    compares what is written with the transformers installed now
"""

from __future__ import annotations

import copy
import json
import platform
import re
import shutil
import sys
import warnings
from pathlib import Path

import numpy
import safetensors
import torch
import transformers
from capture import LEAST_GAP, Sites, forward, forward_all, generate, greedy, narrowest_gap
from interventions import write_interventions
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from variants import VARIANTS, VOCAB_SIZE, Variant

HERE = Path(__file__).parent
PROMPTS = {"short": [17], "long": [5, 42, 9, 9, 31, 0, 58, 23, 42, 12, 7]}
GREEDY_PROMPT = [11, 3, 50, 28, 36]
GREEDY_STEPS = 20
#: Of the greedy tokens so many must be distinct, so that generation is seen to go on.
LEAST_DISTINCT = 5
#: Float32 itself may cost no more than this, so that the bound of the tests, 2e-5, is three times what rounding does.
LARGEST_ROUNDING = 6e-6

VERSIONS = {
    "python": platform.python_version(),
    "torch": torch.__version__,
    "transformers": transformers.__version__,
    "safetensors": safetensors.__version__,
    "numpy": numpy.__version__,
}

MODEL_CLASSES = {
    "gpt2": (transformers.GPT2Config, transformers.GPT2LMHeadModel),
    "llama": (transformers.LlamaConfig, transformers.LlamaForCausalLM),
}


def draw(name: str, shape: torch.Size, source: torch.Generator, dtype: torch.dtype) -> Tensor:
    """Random weights large enough that attention is uneven, activations bend and no logits are near each other."""
    noise = torch.randn(shape, generator=source, dtype=dtype)
    is_norm = "ln_" in name or "norm" in name
    if is_norm and name.endswith("weight"):
        return 1 + 0.2 * noise
    if name.endswith("bias"):
        return 0.2 * noise
    return (0.5 if "wte" in name or "embed" in name else 0.25) * noise


def build(variant: Variant, seed: int) -> nn.Module:
    """A model with random weights, in the dtype of the variant's file."""
    config_class, model_class = MODEL_CLASSES[variant.family]
    config = dict(variant.config)
    if not config.get("rope_scaling", True):
        del config["rope_scaling"]
    model = model_class._from_config(config_class(**config), attn_implementation="eager").eval()
    wide = torch.float64 if variant.dtype == "float64" else torch.float32
    source = torch.Generator().manual_seed(seed)
    model = model.to(wide)
    for name, parameter in model.named_parameters():
        parameter.data.copy_(draw(name, parameter.shape, source, wide))
    return model.to(getattr(torch, variant.dtype))


def in_float32(model: nn.Module) -> nn.Module:
    """The model as transformers would load it with dtype float32: rotary frequencies made anew in full precision."""
    fresh = type(model)._from_config(copy.deepcopy(model.config), attn_implementation="eager").eval().float()
    fresh.load_state_dict(model.state_dict())
    return fresh


def write_files(variant: Variant, model: nn.Module, folder: Path) -> None:
    """config.json and the weights, laid out as the variant says."""
    sharded = {"max_shard_size": "40KB"} if variant.layout == "sharded" else {}
    model.save_pretrained(folder, **sharded)
    (folder / "generation_config.json").unlink()
    if variant.layout == "without-prefix":
        drop_prefix(folder / "model.safetensors", model.config)
    path = folder / "config.json"
    config = json.loads(path.read_text())
    write_json(path, restyled(config, variant))
    if variant.tokenizer:
        write_tokenizer(folder / "tokenizer.json")


def restyled(config: dict, variant: Variant) -> dict:
    """config.json in the words of another version of transformers."""
    scaling = config.get("rope_scaling")
    if variant.layout == "v5-config":
        rest = {k: v for k, v in config.items() if k not in ("rope_scaling", "rope_theta", "transformers_version")}
        return {**rest, "rope_parameters": {**scaling, "rope_theta": config["rope_theta"]}}
    if "dtype" in config:
        config["torch_dtype"] = config.pop("dtype")
    if variant.name == "llama-rope-linear":
        config["rope_scaling"] = {"type": scaling["rope_type"], "factor": scaling["factor"]}
    if variant.layout == "without-prefix":
        config["n_ctx"] = config["n_positions"]
    return config


def drop_prefix(path: Path, config: transformers.GPT2Config) -> None:
    """Names the tensors as in the first upload of GPT-2, with the causal masks that it keeps as tensors."""
    tensors = {name.removeprefix("transformer."): tensor for name, tensor in load_file(path).items()}
    length = config.n_positions
    for layer in range(config.n_layer):
        tensors[f"h.{layer}.attn.bias"] = torch.ones(length, length).tril().view(1, 1, length, length)
    save_file(tensors, path, metadata={"format": "pt"})


def write_tokenizer(path: Path) -> None:
    """One word a token: `t17` is id 17."""
    words = {f"t{i}": i for i in range(VOCAB_SIZE)}
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": None,
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": words, "unk_token": "t0"},
    }
    write_json(path, tokenizer)


def write_json(path: Path, value: object) -> None:
    """Indented, with lists of plain values on one line."""
    text = json.dumps(value, indent=2)
    path.write_text(re.sub(r"\[[^][{}]*\]", lambda m: re.sub(r"\s+", " ", m[0]), text) + "\n")


def roundings(stored: nn.Module) -> dict[str, float]:
    return {name: worst_rounding(in_float32(stored), ids) for name, ids in PROMPTS.items()}


def worst_rounding(model: nn.Module, ids: list[int]) -> float:
    """The largest difference of any number to the same model in float64: how much float32 itself costs."""
    sites = forward(copy.deepcopy(model), ids)
    model = model.double()
    for module in model.modules():
        if hasattr(module, "reorder_and_upcast_attn"):
            module.reorder_and_upcast_attn = False  # it insists on float32
    wide = forward(model, ids)
    return max(float((wide[name] - sites[name]).abs().max()) for name in wide)


def choose_seed(variant: Variant) -> tuple[nn.Module, int]:
    """The first seed from the variant's on whose greedy path has no near ties and does not loop at once."""
    for seed in range(variant.seed, variant.seed + 200):
        model = build(variant, seed)
        ids, rows = greedy(in_float32(model), GREEDY_PROMPT, GREEDY_STEPS)
        _, again = greedy(in_float32(model), GREEDY_PROMPT, GREEDY_STEPS, cache=False)
        gap = min(narrowest_gap(rows), narrowest_gap(again))
        if gap >= LEAST_GAP and len(set(ids)) >= LEAST_DISTINCT and roundings(model)["long"] <= LARGEST_ROUNDING:
            return model, seed
    raise RuntimeError(f"no seed for {variant.name}")


def golden(variant: Variant, stored: nn.Module, seed: int) -> tuple[dict, Sites]:
    """What transformers computes. Each run has a model of its own: dynamic NTK keeps state from run to run."""

    def fresh() -> nn.Module:
        return in_float32(stored)

    run = {name: forward(fresh(), ids) for name, ids in PROMPTS.items()}
    ids, rows = greedy(fresh(), GREEDY_PROMPT, GREEDY_STEPS)
    assert generate(fresh(), GREEDY_PROMPT, GREEDY_STEPS) == ids, f"{variant.name}: generate() differs"
    uncached_ids, uncached_rows = greedy(fresh(), GREEDY_PROMPT, GREEDY_STEPS, cache=False)
    if variant.edits:
        run["long"] = {**run["long"], **forward_all(fresh(), PROMPTS["long"])}
    tensors = {f"{prompt}.{site}": value for prompt, sites in run.items() for site, value in sites.items()}
    tensors |= {"greedy.logits": rows, "greedyUncached.logits": uncached_rows}
    facts = {
        "variant": variant.name,
        "family": variant.family,
        "purpose": variant.purpose,
        "versions": VERSIONS,
        "seed": seed,
        "dtype": variant.dtype,
        "parameters": sum(p.numel() for p in stored.parameters()),
        "prompts": PROMPTS,
        "greedy": {"prompt": GREEDY_PROMPT, "ids": ids, "narrowestGap": narrowest_gap(rows)},
        "greedyUncached": {"prompt": GREEDY_PROMPT, "ids": uncached_ids, "narrowestGap": narrowest_gap(uncached_rows)},
        "largestLogit": float(run["long"]["logits"].abs().max()),
        "float32Rounding": roundings(stored),
    }
    return facts, tensors


def write_variant(variant: Variant) -> dict:
    folder = HERE / variant.name
    shutil.rmtree(folder, ignore_errors=True)
    model, seed = choose_seed(variant)
    facts, tensors = golden(variant, model, seed)
    write_files(variant, model, folder)
    stored = {t.dtype for file in folder.glob("model*.safetensors") for t in load_file(file).values()}
    assert stored == {getattr(torch, variant.dtype)}, f"{variant.name}: stored as {stored}"
    if variant.edits:
        write_interventions(in_float32(model), folder)
    save_file({name: t.float().contiguous() for name, t in tensors.items()}, folder / "golden.safetensors")
    write_json(folder / "golden.json", facts)
    for file in folder.iterdir():
        file.chmod(0o644)
    return facts


def check(variant: Variant) -> float:
    """The largest difference of what is written to what the transformers installed now computes from the files."""
    folder = HERE / variant.name
    facts, expected = json.loads((folder / "golden.json").read_text()), load_file(folder / "golden.safetensors")
    _, model_class = MODEL_CLASSES[variant.family]

    def fresh() -> nn.Module:
        return model_class.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()

    run = {name: forward(fresh(), ids) for name, ids in facts["prompts"].items()}
    differences = [
        float((value - expected[f"{prompt}.{site}"]).abs().max())
        for prompt, sites in run.items()
        for site, value in sites.items()
    ]
    ids, _ = greedy(fresh(), facts["greedy"]["prompt"], len(facts["greedy"]["ids"]))
    if ids != facts["greedy"]["ids"]:
        print(f"{variant.name}: greedy ids differ: {ids}")
    return max(differences)


def main(arguments: list[str]) -> None:
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.set_grad_enabled(False)
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    names = [a for a in arguments if not a.startswith("--")]
    chosen = [v for v in VARIANTS if not names or v.name in names]
    for variant in chosen:
        if "--check" in arguments:
            print(f"{variant.name:32} {check(variant):.1e}")
        else:
            facts = write_variant(variant)
            print(f"{variant.name:32} seed {facts['seed']:3} rounding {max(facts['float32Rounding'].values()):.1e}")
    if "--check" not in arguments and not names:
        write_json(HERE / "manifest.json", {"versions": VERSIONS, "variants": [v.name for v in VARIANTS]})


if __name__ == "__main__":
    main(sys.argv[1:])
