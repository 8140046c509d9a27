"""What TransformerLens says of parts, heads and circuits of tiny models: golden.json.

Made with transformer-lens 2.16.1, transformers 4.57.3, torch 2.13.0, in float32. The models are those of
../models, whose weights are random with a fixed seed; nothing else here is drawn.

    python test/golden/components/generate.py
"""

import json
import warnings
from pathlib import Path

import torch
import transformer_lens
from transformer_lens import HookedTransformer, HookedTransformerConfig
from transformer_lens import head_detector as detector
from transformer_lens.pretrained.weight_conversions import (
    convert_gpt2_weights,
    convert_llama_weights,
    convert_neox_weights,
)
from transformers import AutoModelForCausalLM

warnings.filterwarnings("ignore")
here = Path(__file__).parent
models = here.parent / "models"
IDS = [5, 42, 9, 31, 17, 42]
REPEATED = [11, 7, 29, 50, 33, 11, 7, 29, 50, 33]
WORD, AGAINST = 3, 11


def config(hf):
    common = {"dtype": torch.float32, "device": "cpu", "default_prepend_bos": False}
    kind = hf.model_type
    if kind == "gpt2":
        return HookedTransformerConfig(
            n_layers=hf.n_layer, d_model=hf.n_embd, n_ctx=hf.n_positions, d_head=hf.n_embd // hf.n_head,
            n_heads=hf.n_head, d_vocab=hf.vocab_size, act_fn="gelu_new", eps=hf.layer_norm_epsilon,
            normalization_type="LN", original_architecture="GPT2LMHeadModel", **common,
        )  # fmt: skip
    if kind == "gpt_neox":
        head = hf.hidden_size // hf.num_attention_heads
        return HookedTransformerConfig(
            n_layers=hf.num_hidden_layers, d_model=hf.hidden_size, n_ctx=hf.max_position_embeddings, d_head=head,
            n_heads=hf.num_attention_heads, d_mlp=hf.intermediate_size, d_vocab=hf.vocab_size, act_fn="gelu",
            eps=hf.layer_norm_eps, normalization_type="LN", parallel_attn_mlp=True, positional_embedding_type="rotary",
            rotary_adjacent_pairs=False, rotary_dim=int(head * hf.rotary_pct),
            original_architecture="GPTNeoXForCausalLM", **common,
        )  # fmt: skip
    return HookedTransformerConfig(
        n_layers=hf.num_hidden_layers, d_model=hf.hidden_size, n_ctx=hf.max_position_embeddings, d_head=hf.head_dim,
        n_heads=hf.num_attention_heads, n_key_value_heads=hf.num_key_value_heads, d_mlp=hf.intermediate_size,
        d_vocab=hf.vocab_size, act_fn="silu", eps=hf.rms_norm_eps, normalization_type="RMS", gated_mlp=True,
        positional_embedding_type="rotary", rotary_adjacent_pairs=False, rotary_dim=hf.head_dim, final_rms=True,
        original_architecture="LlamaForCausalLM", **common,
    )  # fmt: skip


convert = {"gpt2": convert_gpt2_weights, "gpt_neox": convert_neox_weights, "llama": convert_llama_weights}


def load(name):
    hf = AutoModelForCausalLM.from_pretrained(models / name, torch_dtype=torch.float32, attn_implementation="eager")
    cfg = config(hf.config)
    model = HookedTransformer(cfg)
    state = convert[hf.config.model_type](hf, cfg)
    is_rms = cfg.normalization_type.startswith("RMS")
    model.load_and_process_state_dict(
        state, fold_ln=True, center_writing_weights=not is_rms, center_unembed=False, fold_value_biases=False
    )
    with torch.no_grad():
        off = (model(torch.tensor([IDS])) - hf(torch.tensor([IDS])).logits).abs().max().item()
    if off > 1e-4:
        raise SystemExit(f"{name}: TransformerLens is {off} from transformers")
    return model


def parts(model):
    _, cache = model.run_with_cache(torch.tensor([IDS]))
    heads, names = cache.stack_head_results(layer=-1, pos_slice=-1, return_labels=True)
    attrs = cache.logit_attrs(heads, tokens=WORD, incorrect_tokens=AGAINST, pos_slice=-1)[:, 0]
    single = cache.logit_attrs(heads, tokens=WORD, pos_slice=-1)[:, 0]
    whole, labels = cache.decompose_resid(layer=-1, mode="mlp", pos_slice=-1, return_labels=True)
    mlps = cache.logit_attrs(whole, tokens=WORD, incorrect_tokens=AGAINST, pos_slice=-1)[:, 0]
    streams, where = cache.accumulated_resid(layer=-1, pos_slice=-1, return_labels=True)
    accumulated = cache.logit_attrs(streams, tokens=WORD, incorrect_tokens=AGAINST, pos_slice=-1)[:, 0]
    neurons = cache.stack_neuron_results(layer=-1, pos_slice=-1)
    of = cache.logit_attrs(neurons, tokens=WORD, incorrect_tokens=AGAINST, pos_slice=-1)[:, 0]
    return {
        "heads": dict(zip(names, attrs.tolist(), strict=True)),
        "single": dict(zip(names, single.tolist(), strict=True)),
        "parts": dict(zip(labels, mlps.tolist(), strict=True)),
        "accumulated": dict(zip(where, accumulated.tolist(), strict=True)),
        "neurons": of.tolist(),
    }


def kinds(model):
    ids = torch.tensor([REPEATED])
    _, cache = model.run_with_cache(ids)
    found = {}
    for kind in ("previous_token_head", "duplicate_token_head", "induction_head"):
        wanted = getattr(detector, f"get_{kind}_detection_pattern")(ids)
        found[kind] = [
            [
                detector.compute_head_attention_similarity_score(
                    cache["pattern", layer][0, head].clone(), detection_pattern=wanted, exclude_bos=False,
                    exclude_current_token=False, error_measure="mul",
                )
                for head in range(model.cfg.n_heads)
            ]
            for layer in range(model.cfg.n_layers)
        ]  # fmt: skip
    return found


def copying(model):
    values = (model.W_E @ model.OV @ model.W_U).eigenvalues
    return (values.sum(-1).real / values.abs().sum(-1)).tolist()


def pairs(model, layer=1, head=1, most=5):
    """The strongest pairs of words of one head, each word alone in the stream, its norm taken."""
    words = model.blocks[layer].ln1(model.W_E[None])[0]
    writes = words @ model.W_V[layer, head] @ model.W_O[layer, head] @ model.W_U
    looks = words @ model.W_Q[layer, head] @ model.W_K[layer, head].T @ words.T / model.cfg.attn_scale
    top = {}
    for name, matrix in (("writes", writes), ("looks", looks)):
        values, places = matrix.flatten().topk(most)
        top[name] = [[p // matrix.shape[1], p % matrix.shape[1], v] for v, p in zip(values.tolist(), places.tolist(), strict=True)]
    return top


golden = {"versions": {"transformer-lens": "2.16.1", "torch": torch.__version__}, "models": {}}
for name in ("gpt2-default", "gpt-neox-default", "llama-default", "llama-grouped"):
    model = load(name)
    with torch.no_grad():
        golden["models"][name] = {
            "parts": parts(model),
            "kinds": kinds(model),
            "copying": copying(model),
            "pairs": pairs(model),
            "composition": {mode: model.all_composition_scores(mode).tolist() for mode in "QKV"},
        }
golden["ids"], golden["repeated"], golden["word"], golden["against"] = IDS, REPEATED, WORD, AGAINST


def rounded(x):
    if isinstance(x, dict):
        return {k: rounded(v) for k, v in x.items()}
    if isinstance(x, list):
        return [rounded(v) for v in x]
    return round(x, 7) if isinstance(x, float) else x


(here / "golden.json").write_text(json.dumps(rounded(golden)) + "\n")
print(transformer_lens.__name__, "done")
