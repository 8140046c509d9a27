"""
Times TransformerLens on a model folder and prints one JSON document.

    python bench/peers/transformer_lens_bench.py MODEL [--cases cases.json] [--threads 2]

Seconds and bytes. Up to version 3 the peer is HookedTransformer, built by hand from config.json with random weights
(it knows published models only by name); from version 4 on, where that class is gone, it is TransformerBridge around
the model of transformers, with the weights of the folder.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial

from timing import Cases, arguments, child, ids_of_length, machine, measure, peak_rss_bytes, starts

ARGS = arguments(__doc__)

import torch  # noqa: E402  after the environment is set
import transformer_lens  # noqa: E402
import transformers  # noqa: E402

IMPORTED = time.monotonic()

try:
    from transformer_lens import HookedTransformer, HookedTransformerConfig
except ImportError:
    HookedTransformer = None


def config() -> dict:
    return json.loads((ARGS.model / "config.json").read_text())


def hooked_config() -> dict:
    """What HookedTransformer calls the fields of a config of gpt2 or llama; nothing is folded into the weights."""
    c = config()
    if c["model_type"] == "gpt2":
        return {
            "n_layers": c["n_layer"],
            "d_model": c["n_embd"],
            "n_heads": c["n_head"],
            "d_head": c["n_embd"] // c["n_head"],
            "d_mlp": c.get("n_inner") or 4 * c["n_embd"],
            "d_vocab": c["vocab_size"],
            "n_ctx": c["n_positions"],
            "act_fn": c["activation_function"],
            "normalization_type": "LN",
        }
    if c["model_type"] != "llama":
        raise SystemExit(f"no way to build a {c['model_type']} in TransformerLens here")
    head_dim = c.get("head_dim") or c["hidden_size"] // c["num_attention_heads"]
    kv_heads = c.get("num_key_value_heads") or c["num_attention_heads"]
    return {
        "n_layers": c["num_hidden_layers"],
        "d_model": c["hidden_size"],
        "n_heads": c["num_attention_heads"],
        "d_head": head_dim,
        "d_mlp": c["intermediate_size"],
        "d_vocab": c["vocab_size"],
        "n_ctx": min(c["max_position_embeddings"], 2048),  # it holds a mask of n_ctx × n_ctx for each layer
        "n_key_value_heads": kv_heads if kv_heads < c["num_attention_heads"] else None,
        "act_fn": c["hidden_act"],
        "normalization_type": "RMS",
        "final_rms": True,
        "gated_mlp": True,
        "positional_embedding_type": "rotary",
        "rotary_adjacent_pairs": False,
        "rotary_dim": head_dim,
        "rotary_base": int(c.get("rope_theta", 10000)),
    }


def load() -> torch.nn.Module:
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    if HookedTransformer:
        return HookedTransformer(HookedTransformerConfig(**hooked_config(), device="cpu", seed=1)).eval()
    from transformer_lens.model_bridge import TransformerBridge

    model = transformers.AutoModelForCausalLM.from_pretrained(
        ARGS.model, dtype=torch.float32, attn_implementation="eager", local_files_only=True
    ).eval()
    bridge = TransformerBridge.boot_transformers(str(ARGS.model), hf_model=model, tokenizer=word_tokenizer())
    return bridge.eval()


def word_tokenizer() -> transformers.PreTrainedTokenizerFast:
    """A stand-in: the bridge insists on a tokenizer, ids are given here."""
    from tokenizers import Tokenizer, models

    words = Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="a"))
    special = {"eos_token": "a", "pad_token": "a", "unk_token": "a"}  # with a BOS it would be read again from disk
    return transformers.PreTrainedTokenizerFast(tokenizer_object=words, **special)


def tokens(length: int, seed: int) -> torch.Tensor:
    return torch.tensor([ids_of_length(length, config()["vocab_size"], seed)])


def lengths_within(model: torch.nn.Module, lengths: tuple[int, ...]) -> list[int]:
    return [n for n in lengths if n <= model.cfg.n_ctx]


def patched_run(model: torch.nn.Module, ids: torch.Tensor, clean: torch.Tensor) -> Callable[[], torch.Tensor]:
    """One run of an activation-patching sweep: the residual of the middle layer, patched at the middle position."""
    position = ids.shape[1] // 2

    def patch(value: torch.Tensor, hook: object) -> torch.Tensor:
        value[:, position] = clean[:, position]
        return value

    hooks = [(f"blocks.{model.cfg.n_layers // 2}.hook_resid_pre", patch)]
    return partial(model.run_with_hooks, ids, fwd_hooks=hooks, return_type="logits")


def patched_times(model: torch.nn.Module, cases: Cases) -> dict:
    result = {}
    for length in lengths_within(model, cases.patchLengths):
        site = f"blocks.{model.cfg.n_layers // 2}.hook_resid_pre"
        _, cache = model.run_with_cache(tokens(length, cases.seed + 1), names_filter=site)
        result[length] = measure(patched_run(model, tokens(length, cases.seed), cache[site]), cases)
    return result


def first_token() -> dict:
    model = load()
    loaded = time.monotonic()
    token = int(model(tokens(ARGS.length, 1), return_type="logits")[0, -1].argmax())
    stamps = {"imported": IMPORTED, "loaded": loaded, "firstToken": time.monotonic()}
    return {"stamps": stamps, "token": token}


def peak() -> dict:
    model = load()
    loaded = peak_rss_bytes()
    logits, cache = model.run_with_cache(tokens(ARGS.length, 1))
    return {"loaded": loaded, "forward": peak_rss_bytes(), "logits": list(logits.shape), "sites": len(cache)}


def everything() -> dict:
    cases = Cases.read(ARGS.cases)
    model = load()
    captured = {
        n: measure(partial(model.run_with_cache, tokens(n, cases.seed)), cases)
        for n in lengths_within(model, cases.captureLengths)
    }
    plain = {
        n: measure(partial(model, tokens(n, cases.seed), return_type="logits"), cases)
        for n in lengths_within(model, cases.lengths)
    }
    longest = max(lengths_within(model, cases.captureLengths))
    return {
        "peer": "transformer_lens",
        "class": type(model).__name__,
        "versions": {
            "transformer_lens": version(),
            "transformers": transformers.__version__,
            "torch": torch.__version__,
        },
        "machine": machine(torch.get_num_threads()),
        "forward": plain,
        "runWithCache": captured,
        "patchedForward": patched_times(model, cases),
        "start": starts(__file__, ARGS, cases),
        "peakRssBytes": {"length": longest, "captured": child(__file__, ARGS, "peak", longest)},
    }


def version() -> str:
    from importlib.metadata import version as installed

    return installed("transformer-lens")


def main() -> None:
    torch.set_num_threads(ARGS.threads)
    torch.set_grad_enabled(False)
    tasks = {"first-token": first_token, "peak": peak, None: everything}
    print(json.dumps(tasks[ARGS.child]()))


if __name__ == "__main__":
    main()
