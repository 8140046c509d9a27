"""
Activation patching of a model folder with TransformerLens, on request: each line of standard input is a JSON object,
answered by a line.

    python bench/peers/patching_bench.py MODEL [--threads 2]

`{"what": "about"}`; `{"what": "single" | "batched", "ids": [...], "clean": [...], "right": id, "wrong": id}` gives
`seconds` and `values` [site][layer][position]: the logit difference at the last position with resid_pre, attn_out and
mlp_out of the clean run patched in. `sites`: how many of the three are
patched. `cpu`: processor seconds. `single` is what `transformer_lens.patching` does: a run for each patch (its
get_act_patch_resid_pre, _attn_out and _mlp_out). `batched` patches all positions of a layer in one batch, and scores
the last position alone, as far as the class lets it.
"""

from __future__ import annotations

import json
import sys
import time

from timing import arguments

ARGS = arguments(__doc__)

import torch  # noqa: E402  after the environment is set
import transformer_lens  # noqa: E402
import transformers  # noqa: E402

SITES = ("resid_pre", "attn_out", "mlp_out")


def load() -> torch.nn.Module:
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    hf = transformers.AutoModelForCausalLM.from_pretrained(ARGS.model, dtype=torch.float32, local_files_only=True).eval()
    c = json.loads((ARGS.model / "config.json").read_text())
    config = transformer_lens.HookedTransformerConfig(
        n_layers=c["n_layer"],
        d_model=c["n_embd"],
        n_heads=c["n_head"],
        d_head=c["n_embd"] // c["n_head"],
        d_mlp=4 * c["n_embd"],
        d_vocab=c["vocab_size"],
        n_ctx=c["n_positions"],
        act_fn=c["activation_function"],
        normalization_type="LN",
        eps=c["layer_norm_epsilon"],
        device="cpu",
        seed=1,
    )
    from transformer_lens.pretrained.weight_conversions import convert_gpt2_weights

    model = transformer_lens.HookedTransformer(config)
    model.load_and_process_state_dict(
        convert_gpt2_weights(hf, config), fold_ln=False, center_writing_weights=False, center_unembed=False
    )
    return model.eval()


def single(model: torch.nn.Module, sites: tuple, ids: torch.Tensor, cache: object, metric: object) -> list:
    from transformer_lens import patching

    functions = {
        "resid_pre": patching.get_act_patch_resid_pre,
        "attn_out": patching.get_act_patch_attn_out,
        "mlp_out": patching.get_act_patch_mlp_out,
    }
    patching.tqdm = lambda items, **_: items  # no progress bar in the measured time
    return [functions[site](model, ids, cache, metric).tolist() for site in sites]


def batched(model: torch.nn.Module, sites: tuple, ids: torch.Tensor, cache: object, metric: object) -> list:
    n = ids.shape[1]
    each = torch.arange(n)
    batch = ids.expand(n, n)
    result = []
    for site in sites:
        rows = []
        for layer in range(model.cfg.n_layers):
            name = transformer_lens.utils.get_act_name(site, layer)

            def patch(value: torch.Tensor, hook: object, clean: torch.Tensor = cache[name]) -> torch.Tensor:
                value[each, each] = clean[0]
                return value

            last: dict = {}

            def keep(value: torch.Tensor, hook: object, last: dict = last) -> torch.Tensor:
                return value[:, -1:]  # only the last row goes on to the unembedding

            hooks = [(name, patch), ("ln_final.hook_normalized", keep)]
            rows.append(metric(model.run_with_hooks(batch, fwd_hooks=hooks, return_type="logits")).tolist())
        result.append(rows)
    return result


def answer(model: torch.nn.Module, request: dict) -> dict:
    if request["what"] == "about":
        return {"transformer_lens": version(), "torch": torch.__version__, "class": type(model).__name__}
    ids, clean = torch.tensor([request["ids"]]), torch.tensor([request["clean"]])

    def metric(logits: torch.Tensor) -> torch.Tensor:
        difference = logits[:, -1, request["right"]] - logits[:, -1, request["wrong"]]
        return difference if len(difference) > 1 else difference[0]

    start, cpu = time.perf_counter(), time.process_time()
    sites = SITES[: request.get("sites", 3)]
    names = [transformer_lens.utils.get_act_name(s, layer) for s in sites for layer in range(model.cfg.n_layers)]
    _, cache = model.run_with_cache(clean, names_filter=lambda name: name in names)
    ways = {"single": single, "batched": batched}
    values = ways[request["what"]](model, sites, ids, cache, metric)
    return {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu, "values": values}


def version() -> str:
    from importlib.metadata import version as installed

    return installed("transformer-lens")


def main() -> None:
    torch.set_num_threads(ARGS.threads)
    torch.set_grad_enabled(False)
    model = load()
    for line in sys.stdin:
        print(json.dumps(answer(model, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
