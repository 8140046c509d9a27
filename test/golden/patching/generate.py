"""
Activation-patching grids by TransformerLens of tiny models of ../models, to be compared with those of Cutaway.

    pip install torch==2.13.0 transformer-lens==2.16.1 transformers==4.57.3 datasets==3.6.0 "numpy<2" pyarrow==17.0.0
    python test/golden/patching/generate.py

Writes patching.json beside this file. Weights are taken as they are: nothing folded, nothing centred. The metric is
logit(11) - logit(23) at the last position of the corrupted prompt with values of the clean one patched in, by the
functions of `transformer_lens.patching`: get_act_patch_resid_pre, _attn_out, _mlp_out (layer x position),
_attn_head_out_all_pos, _attn_head_q_all_pos, _k_, _v_, _pattern_all_pos (layer x head), _attn_head_out_by_pos
(layer x position x head).
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import torch
import transformers
from transformer_lens import HookedTransformer, HookedTransformerConfig, patching
from transformer_lens.pretrained.weight_conversions import convert_gpt2_weights, convert_llama_weights

HERE = Path(__file__).parent
MODELS = HERE.parent / "models"
RIGHT, WRONG = 11, 23
CLEAN = [5, 42, 9, 9, 31, 0, 58]
CORRUPTED = [5, 17, 9, 33, 31, 2, 58]


def gpt2(c: dict) -> tuple[dict, object]:
    fields = {
        "n_layers": c["n_layer"],
        "d_model": c["n_embd"],
        "n_heads": c["n_head"],
        "d_head": c["n_embd"] // c["n_head"],
        "d_mlp": c.get("n_inner") or 4 * c["n_embd"],
        "d_vocab": c["vocab_size"],
        "n_ctx": c["n_positions"],
        "act_fn": c["activation_function"],
        "normalization_type": "LN",
        "eps": c["layer_norm_epsilon"],
    }
    return fields, convert_gpt2_weights


def llama(c: dict) -> tuple[dict, object]:
    head_dim = c.get("head_dim") or c["hidden_size"] // c["num_attention_heads"]
    kv_heads = c["num_key_value_heads"]
    fields = {
        "n_layers": c["num_hidden_layers"],
        "d_model": c["hidden_size"],
        "n_heads": c["num_attention_heads"],
        "d_head": head_dim,
        "d_mlp": c["intermediate_size"],
        "d_vocab": c["vocab_size"],
        "n_ctx": c["max_position_embeddings"],
        "n_key_value_heads": kv_heads if kv_heads < c["num_attention_heads"] else None,
        "act_fn": c["hidden_act"],
        "normalization_type": "RMS",
        "final_rms": True,
        "gated_mlp": True,
        "positional_embedding_type": "rotary",
        "rotary_adjacent_pairs": False,
        "rotary_dim": head_dim,
        "rotary_base": int(c.get("rope_theta", 10000)),
        "eps": c["rms_norm_eps"],
    }
    return fields, convert_llama_weights


def load(folder: Path) -> HookedTransformer:
    c = json.loads((folder / "config.json").read_text())
    hf = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()
    fields, convert = {"gpt2": gpt2, "llama": llama}[c["model_type"]](c)
    config = HookedTransformerConfig(**fields, device="cpu", seed=1, original_architecture=c["architectures"][0])
    model = HookedTransformer(config)
    weights = dict(fold_ln=False, center_writing_weights=False, center_unembed=False, fold_value_biases=False)
    model.load_and_process_state_dict(convert(hf, config), **weights)
    ids = torch.tensor([CLEAN])
    difference = (model.eval()(ids) - hf(ids).logits).abs().max().item()
    if difference > 2e-5:
        raise SystemExit(f"{folder.name}: TransformerLens differs from transformers by {difference}")
    return model


def grids(model: HookedTransformer) -> dict:
    def metric(logits: torch.Tensor) -> torch.Tensor:
        return logits[0, -1, RIGHT] - logits[0, -1, WRONG]

    clean, corrupted = torch.tensor([CLEAN]), torch.tensor([CORRUPTED])
    logits, cache = model.run_with_cache(clean)
    functions = {
        "resid_pre": patching.get_act_patch_resid_pre,
        "attn_out": patching.get_act_patch_attn_out,
        "mlp_out": patching.get_act_patch_mlp_out,
        "z": patching.get_act_patch_attn_head_out_all_pos,
        "q": patching.get_act_patch_attn_head_q_all_pos,
        "pattern": patching.get_act_patch_attn_head_pattern_all_pos,
        "z by position": patching.get_act_patch_attn_head_out_by_pos,
    }
    if model.cfg.n_key_value_heads is None:  # its functions count the query's heads
        functions |= {"k": patching.get_act_patch_attn_head_k_all_pos, "v": patching.get_act_patch_attn_head_v_all_pos}
    made = {name: patch(model, corrupted, cache, metric).tolist() for name, patch in functions.items()}
    return {"clean": metric(logits).item(), "corrupted": metric(model(corrupted)).item(), "grids": made}


def main() -> None:
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    transformers.logging.set_verbosity_error()
    patching.tqdm = lambda items, **_: items
    versions = {name: version(name) for name in ("torch", "transformers", "transformer-lens")}
    names = ("gpt2-default", "llama-default", "llama-grouped")
    models = {name: grids(load(MODELS / name)) for name in names}
    document = {
        **{"versions": versions, "clean": CLEAN, "corrupted": CORRUPTED, "right": RIGHT, "wrong": WRONG},
        "models": models,
    }
    (HERE / "patching.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
