"""
BART: an encoder and a decoder with learned positions, a LayerNorm after each sublayer, one embedding for all.

What a reader of its files must know:

- Position 0 is row 2 of the position tables, which have `max_position_embeddings` + 2 rows; padding ids count as any
  other. The LayerNorm of the embeddings, `layernorm_embedding`, is `ln_embed`; there is none after the last block.
- `scale_embedding` multiplies the word embedding, not the head, by the root of `d_model`; `embed` is scaled.
- `final_logits_bias`, [1, vocab], is added to the logits: a tensor of the file, mostly zeros. Absent, it is zero.
- The epsilon of all LayerNorms is 1e-5; no field of the config says so.
- Heads and widths of the MLP have fields for each stack: `encoder_attention_heads`, `decoder_ffn_dim` and so on.
  `num_hidden_layers` in the config is that of the encoder.
- The embedding may stand in the file under any of `model.shared.weight`, `model.encoder.embed_tokens.weight`,
  `model.decoder.embed_tokens.weight` and `lm_head.weight`. transformers writes the first alone; bart-large-cnn has
  been saved with the third alone, and the first uploads hold several, and a number `model.encoder.version`.
- `forced_bos_token_id` is taken in place of the first choice after `decoder_start_token_id`, from config.json or
  generation_config.json; it is not when a target of more ids is given. A config without `forced_eos_token_id` means 2:
  the last id before the length limit is then 2, whatever the logits. Here it is null. Published configs also say
  `num_beams`, `no_repeat_ngram_size` and such, which change what `model.generate` gives.
- `normalize_before`, `add_final_layer_norm` and their like in older configs are not read.
- No mask is made from padding ids by the model itself, in source or target; `model.generate` makes one for the source
  where none is given.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from encoder_decoder import Finish, StackedParts, forward, generate, greedy, load, prompts_from
from family import VOCAB_SIZE, Family, Generation, Variant, draw
from files import write_json
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import BartConfig, BartForConditionalGeneration

START = 2
PROMPTS = prompts_from(START)
FORCED = 47
CONFIG: dict[str, Any] = {
    "vocab_size": VOCAB_SIZE,
    "max_position_embeddings": 30,
    "d_model": 24,
    "encoder_layers": 2,
    "encoder_attention_heads": 4,
    "encoder_ffn_dim": 28,
    "decoder_layers": 2,
    "decoder_attention_heads": 3,
    "decoder_ffn_dim": 36,
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "decoder_start_token_id": START,
    "forced_bos_token_id": None,
    "forced_eos_token_id": None,
}
#: Of the variants of which not every site is stored.
SMALL = {"d_model": 16, "encoder_ffn_dim": 20, "decoder_attention_heads": 2, "decoder_ffn_dim": 24}
#: Of the config of bart-large; none of them changes what is computed here.
OLD_FIELDS = {
    "_num_labels": 3,
    "add_bias_logits": False,
    "add_final_layer_norm": False,
    "classif_dropout": 0.0,
    "early_stopping": True,
    "gradient_checkpointing": False,
    "normalize_before": False,
    "normalize_embedding": True,
    "num_beams": 4,
    "static_position_embeddings": False,
    "task_specific_params": {"summarization": {"length_penalty": 1.0, "max_length": 128, "min_length": 12}},
}


def bart_draw(name: str, shape: torch.Size, source: torch.Generator, dtype: torch.dtype) -> Tensor:
    """Embeddings so small that, scaled or not, a tied head does not say the same token for ever."""
    weight = draw(name, shape, source, dtype)
    return 0.6 * weight if name == "model.shared.weight" else weight


def in_decoder(tensors: dict[str, Tensor]) -> None:
    """The embedding under one name that is not `shared`."""
    tensors["model.decoder.embed_tokens.weight"] = tensors.pop("model.shared.weight")


def as_first_uploaded(tensors: dict[str, Tensor]) -> None:
    """The embedding under all its names, and numbers that nobody reads."""
    for name in ("model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight", "lm_head.weight"):
        tensors[name] = tensors["model.shared.weight"].clone()
    tensors |= {f"model.{stack}.version": torch.tensor([3.0]) for stack in ("encoder", "decoder")}


LAYOUTS = {"in-decoder": in_decoder, "first-upload": as_first_uploaded}
FINISH = Finish(StackedParts, PROMPTS, CONFIG["pad_token_id"], "model.decoder.layers.1.encoder_attn.v_proj.weight")


def finish(variant: Variant, folder: Path) -> None:
    path = folder / "model.safetensors"
    if variant.layout in LAYOUTS:
        tensors = load_file(path)
        LAYOUTS[variant.layout](tensors)
        save_file(tensors, path, metadata={"format": "pt"})
    finish_config(variant, folder)
    model = load(BartForConditionalGeneration, folder)
    assert model.generation_config.forced_bos_token_id == variant.config["forced_bos_token_id"]
    FINISH(model, variant, folder)


def finish_config(variant: Variant, folder: Path) -> None:
    """Generation's fields stand in config.json, as in what is published, or in generation_config.json."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    forced = {name: variant.config[name] for name in ("forced_bos_token_id", "forced_eos_token_id")}
    if variant.layout == "generation-config":
        started = {"decoder_start_token_id": START, "eos_token_id": 2, "pad_token_id": 1, "bos_token_id": 0}
        write_json(folder / "generation_config.json", {**started, **forced})
        forced["forced_bos_token_id"] = None
    old = OLD_FIELDS if variant.layout == "first-upload" else {}
    write_json(path, {**config, **forced, **old})


def bart(name: str, purpose: str, config: dict[str, Any] | None = None, **rest: Any) -> Variant:
    width = {} if rest.get("sites") else SMALL
    return Variant(f"bart-{name}", "bart", purpose, {**CONFIG, **width, **(config or {})}, **rest)


VARIANTS: tuple[Variant, ...] = (
    bart("default", "BART as it is: erf GELU, heads and widths that differ between the stacks", sites=True),
    bart("scaled", "scale_embedding true", {"scale_embedding": True}),
    bart("relu", "activation_function relu", {"activation_function": "relu"}),
    bart("deep-decoder", "more decoder layers than encoder layers", {"decoder_layers": 3}),
    bart("deep-encoder", "more encoder layers than decoder layers", {"encoder_layers": 3}),
    bart("forced-bos", "forced_bos_token_id in config.json", {"forced_bos_token_id": FORCED}),
    bart(
        "forced-bos-apart",
        "forced_bos_token_id in generation_config.json alone",
        {"forced_bos_token_id": FORCED},
        layout="generation-config",
    ),
    bart("in-decoder", "the embedding as model.decoder.embed_tokens.weight alone", layout="in-decoder"),
    bart("first-upload", "the embedding under four names, and the fields of an old config", layout="first-upload"),
)

FAMILY = Family(
    "bart",
    BartConfig,
    BartForConditionalGeneration,
    VARIANTS,
    StackedParts,
    prompts=PROMPTS,
    capture=forward,
    generation=Generation({"source": [11, 3, 50, 28, 36], "target": [START]}, 20, greedy, generate),
    draw=bart_draw,
    finish=finish,
)
