"""Tiny GGUF models, written as llama.cpp's converter writes them, and what transformers computes with them.

    python3 test/golden/gguf/models.py          all: NAME.gguf and NAME.json

Versions: gguf 0.19.0, transformers 4.57.3, torch 2.13.0 (CPU). Weights come from torch.Generator, seed 20260102.
The file is read back with transformers' own reader of GGUF (`load_gguf_checkpoint`), whose numbers are what the model
computes with: so neither the expected weights nor the logits come from this writer's idea of the format.

NAME.json: `config`, transformers' own; `weights`, for each its shape and the SHA-256 of its float32 bytes;
`ids` and `logits` [position, vocab] of one prompt.
"""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import gguf
import torch
from gguf import quants
from gguf.constants import GGMLQuantizationType as T
from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint
from variants import VARIANTS, VOCAB, Variant

HERE = Path(__file__).parent
SEED = 20260102
IDS = [1, 17, 4, 63, 30, 9, 22, 41, 5, 12, 58, 33]


def set_weights(model: torch.nn.Module) -> None:
    """Matrices around 0, gains around what they are at the start (0 in Gemma, else 1), biases small."""
    random = torch.Generator().manual_seed(SEED)
    for name, weight in model.named_parameters():
        gain = weight.dim() == 1 and name.endswith("weight")
        start = weight.detach().clone() if gain else torch.zeros_like(weight)
        spread = 0.2 if weight.dim() > 1 else 0.1
        weight.data = start + spread * torch.randn(weight.shape, generator=random)


def permuted(weight: torch.Tensor, heads: int) -> torch.Tensor:
    """The rows that turn together side by side: as the converter does it for the architecture `llama`."""
    halves = weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:])
    return halves.swapaxes(1, 2).reshape(weight.shape)


def converted(variant: Variant, name: str, weight: torch.Tensor, config) -> torch.Tensor:
    arch = gguf.MODEL_ARCH_NAMES[variant.arch]
    if arch == "llama" and ("q_proj" in name or "k_proj" in name):
        heads = config.num_attention_heads if "q_proj" in name else config.num_key_value_heads
        return permuted(weight, heads)
    if arch == "gemma2" and name.endswith("norm.weight"):
        return weight + 1
    if arch == "gpt2" and name.endswith(("c_attn.weight", "c_proj.weight", "c_fc.weight")):
        return weight.T
    return weight


def write_tokens(writer: gguf.GGUFWriter) -> None:
    tokens = ["<unk>", "<s>", "</s>"] + [f"▁t{i}" for i in range(3, VOCAB)]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([-float(i) for i in range(VOCAB)])
    writer.add_token_types([2, 3, 3] + [1] * (VOCAB - 3))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)


def write_gpt2(writer: gguf.GGUFWriter, config) -> None:
    writer.add_block_count(config.n_layer)
    writer.add_context_length(config.n_positions)
    writer.add_embedding_length(config.n_embd)
    writer.add_feed_forward_length(config.n_inner)
    writer.add_head_count(config.n_head)
    writer.add_layer_norm_eps(config.layer_norm_epsilon)


def head_dim_of(config) -> int:
    return getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads


def write_decoder(writer: gguf.GGUFWriter, config, arch: str) -> None:
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    if arch != "gemma2":
        writer.add_rope_freq_base(config.rope_theta)
    if arch in ("llama", "phi3"):
        writer.add_rope_dimension_count(head_dim_of(config))
    if head_dim_of(config) != config.hidden_size // config.num_attention_heads:
        writer.add_key_length(head_dim_of(config))
        writer.add_value_length(head_dim_of(config))


def write_own(writer: gguf.GGUFWriter, config, arch: str) -> None:
    """What only one architecture has."""
    if arch == "llama":
        writer.add_vocab_size(VOCAB)
    if arch == "gemma2":
        writer.add_sliding_window(config.sliding_window)
        writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
        writer.add_final_logit_softcapping(config.final_logit_softcapping)
    if arch == "phi3":
        writer.add_rope_scaling_orig_ctx_len(config.original_max_position_embeddings)
        writer.add_sliding_window(config.sliding_window or 0)


def llama3_factors(config) -> list[float]:
    """By how much llama3's scaling divides each frequency. Dubey 2024; as the converter writes rope_freqs."""
    s, dim = config.rope_scaling, head_dim_of(config)
    length = s["original_max_position_embeddings"]
    factors = []
    for freq in 1.0 / (config.rope_theta ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim)):
        wavelength = 2 * math.pi / freq
        smooth = (length / wavelength - s["low_freq_factor"]) / (s["high_freq_factor"] - s["low_freq_factor"])
        smooth = min(1.0, max(0.0, float(smooth)))
        factors.append(1 / ((1 - smooth) / s["factor"] + smooth))
    return factors


def write_rope(writer: gguf.GGUFWriter, config) -> None:
    scaling = getattr(config, "rope_scaling", None) or {}
    kind = scaling.get("rope_type", scaling.get("type"))
    vector = lambda name, values: writer.add_tensor(name, torch.tensor(values, dtype=torch.float32).numpy())
    if kind == "llama3":
        vector("rope_freqs.weight", llama3_factors(config))
    if kind in ("linear", "yarn"):
        writer.add_rope_scaling_type(gguf.RopeScalingType(kind))
        writer.add_rope_scaling_factor(scaling["factor"])
    if kind == "yarn":
        writer.add_rope_scaling_orig_ctx_len(scaling["original_max_position_embeddings"])
    if kind == "longrope":
        original = config.original_max_position_embeddings
        stretch = config.max_position_embeddings / original
        writer.add_rope_scaling_attn_factors(math.sqrt(1 + math.log(stretch) / math.log(original)))
        vector("rope_factors_long.weight", scaling["long_factor"])
        vector("rope_factors_short.weight", scaling["short_factor"])


def write_tensors(writer: gguf.GGUFWriter, variant: Variant, model: torch.nn.Module) -> None:
    config = model.config
    layers = getattr(config, "num_hidden_layers", None) or config.n_layer
    names = gguf.get_tensor_name_map(variant.arch, layers)
    for name, weight in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        data = converted(variant, name, weight, config).contiguous().numpy()
        kind = variant.kind if data.ndim > 1 else T.F32
        called = names.get_name(name, try_suffixes=(".weight", ".bias"))
        writer.add_tensor(called, quants.quantize(data, kind), raw_dtype=kind)


def write_file(path: Path, variant: Variant, model: torch.nn.Module) -> None:
    arch = gguf.MODEL_ARCH_NAMES[variant.arch]
    writer = gguf.GGUFWriter(path, arch)
    writer.add_name(variant.name)
    if arch == "gpt2":
        write_gpt2(writer, model.config)
    else:
        write_decoder(writer, model.config, arch)
    write_own(writer, model.config, arch)
    write_tokens(writer)
    write_rope(writer, model.config)
    write_tensors(writer, variant, model)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def read_back(path: Path, model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The file's tensors under transformers' names, by transformers' own reader."""
    tensors = load_gguf_checkpoint(str(path), return_tensors=True, model_to_load=model)["tensors"]
    return {name: tensor.to(torch.float32).contiguous() for name, tensor in tensors.items()}


def write_golden(path: Path, model: torch.nn.Module, weights: dict[str, torch.Tensor]) -> None:
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"}, (missing, unexpected)
    model.tie_weights()
    with torch.no_grad():
        logits = model(torch.tensor([IDS])).logits[0]
    digest = lambda t: hashlib.sha256(t.numpy().tobytes()).hexdigest()
    described = {n: {"shape": list(t.shape), "sha256": digest(t)} for n, t in sorted(weights.items())}
    golden = {
        "config": json.loads(model.config.to_json_string(use_diff=False)),
        "weights": described,
        "ids": IDS,
        "logits": [[float(f"{x:.7g}") for x in row] for row in logits.tolist()],
    }
    path.write_text(json.dumps(golden) + "\n")


def main() -> None:
    for variant in VARIANTS:
        model = variant.model_class._from_config(variant.config(), attn_implementation="eager").eval()
        set_weights(model)
        path = HERE / f"{variant.name}.gguf"
        write_file(path, variant, model)
        write_golden(path.with_suffix(".json"), model, read_back(path, model))
        print(variant.name, path.stat().st_size)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
