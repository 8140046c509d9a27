"""
Writes what the tiny models of ../models compute in PyTorch once somebody has made a mistake in porting them.

    python test/golden/diff/generate.py

Each mistake is made in transformers' own modules, on the model's own files, and the values that can be seen from
outside are written under the names of Cutaway's sites: MISTAKE.safetensors, and in mistakes.json what the mistake is.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy
import torch
import transformers
from torch import Tensor, nn
from transformers.models.gemma import modeling_gemma
from transformers.models.llama import modeling_llama

HERE = Path(__file__).parent
MODELS = HERE.parent / "models"
sys.path.insert(0, str(MODELS))

from capture import recorded  # noqa: E402
from families import FAMILIES, VARIANTS  # noqa: E402
from files import write_json  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

IDS = [5, 42, 9, 9, 31, 0, 58, 23]

Patch = AbstractContextManager[object]


@dataclass(frozen=True)
class Mistake:
    name: str
    #: folder of ../models
    model: str
    #: what people say they did
    says: str
    #: the row of the table of mistakes that should explain it; none where nothing can make the same numbers
    row: str | None
    #: the first site that differs
    site: str
    #: changes the model; may give what must be patched while it runs
    make: Callable[[nn.Module], Patch | None]
    #: more for the model's forward
    arguments: Callable[[nn.Module], dict] = lambda _model: {}


def rope_base(model: nn.Module) -> None:
    rotary = model.model.rotary_emb
    dim = model.config.head_dim
    rotary.inv_freq = 500000.0 ** -(torch.arange(0, dim, 2).float() / dim)


def rope_scaling(model: nn.Module) -> None:
    rotary = model.model.rotary_emb
    rotary.inv_freq = rotary.inv_freq * model.config.rope_scaling["factor"]


def rotated_pairs(x: Tensor) -> Tensor:
    return torch.stack((-x[..., 1::2], x[..., ::2]), dim=-1).flatten(-2)


def interleaved(q: Tensor, k: Tensor, cos: Tensor, sin: Tensor, *_args: object, **_rest: object) -> tuple[Tensor, Tensor]:
    half = cos.shape[-1] // 2
    cos, sin = (t[..., :half].repeat_interleave(2, dim=-1).unsqueeze(1) for t in (cos, sin))
    return q * cos + rotated_pairs(q) * sin, k * cos + rotated_pairs(k) * sin


def tiled_kv(states: Tensor, times: int) -> Tensor:
    return states.repeat(1, times, 1, 1)


def without_one(self: nn.Module, x: Tensor) -> Tensor:
    return (self._norm(x.float()) * self.weight.float()).type_as(x)


def unscaled_embedding(model: nn.Module) -> None:
    def divide(_module: nn.Module, _inputs: tuple, output: Tensor) -> Tensor:
        return output / model.config.hidden_size**0.5

    model.model.embed_tokens.register_forward_hook(divide)


def set_each(modules: list[nn.Module], name: str, value: object) -> None:
    for module in modules:
        setattr(module, name, value)


def norms_of(model: nn.Module) -> list[nn.Module]:
    return [m for m in model.modules() if hasattr(m, "variance_epsilon")]


def attentions_of(model: nn.Module) -> list[nn.Module]:
    return [layer.self_attn for layer in model.model.layers]


def exact_gelu(model: nn.Module) -> None:
    set_each([block.mlp for block in model.transformer.h], "act", nn.GELU())


def swapped_gates(model: nn.Module) -> None:
    for layer in model.model.layers:
        layer.mlp.gate_proj, layer.mlp.up_proj = layer.mlp.up_proj, layer.mlp.gate_proj


def tied(model: nn.Module) -> None:
    model.lm_head.weight = model.model.embed_tokens.weight


def transposed(model: nn.Module) -> None:
    weight = model.model.layers[1].self_attn.o_proj.weight
    weight.data = weight.data.T.contiguous()


def shifted_positions(model: nn.Module) -> None:
    model.transformer.wpe.register_forward_pre_hook(lambda _module, inputs: (inputs[0] + 1,))


def wide_open(_model: nn.Module) -> dict:
    return {"attention_mask": torch.zeros(1, 1, len(IDS), len(IDS))}


def no_window(model: nn.Module) -> None:
    model.config.sliding_window = None


def loaded_twice(model: nn.Module) -> None:
    model.model.layers[2].load_state_dict(model.model.layers[1].state_dict())


def not_a_number(model: nn.Module) -> None:
    model.model.layers[1].mlp.down_proj.weight.data[3, 5] = float("nan")


def dropped_bias(model: nn.Module) -> None:
    for attention in attentions_of(model):
        attention.v_proj.bias.data.zero_()


def first_gain_unread(model: nn.Module) -> None:
    model.model.layers[0].input_layernorm.weight.data.fill_(1.0)


def sequential(model: nn.Module) -> None:
    set_each(list(model.gpt_neox.layers), "use_parallel_residual", False)


def quantised(model: nn.Module) -> None:
    """Eight bits everywhere, three in one matrix."""
    for name, parameter in model.named_parameters():
        if parameter.dim() == 2:
            steps = 3 if name == "model.layers.1.mlp.up_proj.weight" else 127
            unit = parameter.data.abs().amax(dim=1, keepdim=True) / steps
            parameter.data = (parameter.data / unit).round() * unit


MISTAKES = (
    Mistake("rope-base", "llama-grouped", "RoPE's base is that of another model", "rope-base", "blocks.0.attn.pattern", rope_base),
    Mistake("rope-scaling", "llama-rope-linear", "RoPE's scaling is ignored", "rope-base", "blocks.0.attn.pattern", rope_scaling),
    Mistake("rope-interleaved", "llama-grouped", "RoPE rotates neighbours, not halves", "rope-pairs", "blocks.0.attn.pattern",
            lambda _model: mock.patch.object(modeling_llama, "apply_rotary_pos_emb", interleaved)),
    Mistake("group-order", "llama-grouped", "keys and values are tiled, not repeated one by one", "group-order", "blocks.0.attn.pattern",
            lambda _model: mock.patch.object(modeling_llama, "repeat_kv", tiled_kv)),
    Mistake("embedding-scale", "gemma-default", "the embedding's scale is missing", "scale", "embed", unscaled_embedding),
    Mistake("gain-offset", "gemma-default", "the +1 of the norms' gain is missing", "gain-offset", "blocks.0.ln1.normalized",
            lambda _model: mock.patch.object(modeling_gemma.GemmaRMSNorm, "forward", without_one)),
    Mistake("epsilon", "llama-epsilon", "the norms' epsilon is the default", "epsilon", "blocks.0.ln1.normalized",
            lambda model: set_each(norms_of(model), "variance_epsilon", 1e-6)),
    Mistake("activation", "gpt2-default", "GELU with the error function instead of tanh", "activation", "blocks.0.mlp.post", exact_gelu),
    Mistake("gates-swapped", "llama-grouped", "gate and up projections are swapped", "swapped", "blocks.0.mlp.pre", swapped_gates),
    Mistake("bias-dropped", "llama-attention-bias", "the bias of the values is dropped", "left-out", "blocks.0.attn.v", dropped_bias),
    Mistake("logit-cap", "gemma2-default", "logits are not capped", "soft-cap", "logits",
            lambda model: setattr(model.config, "final_logit_softcapping", None)),
    Mistake("attention-cap", "gemma2-default", "attention's scores are not capped", "soft-cap", "blocks.0.attn.scores",
            lambda model: set_each(attentions_of(model), "attn_logit_softcapping", None)),
    Mistake("head-tied", "llama-grouped", "the head is tied to the embedding by mistake", "tied-head", "logits", tied),
    Mistake("transposed", "llama-default", "a square matrix is read transposed", "transposed", "blocks.1.attn_out", transposed),
    Mistake("position-offset", "gpt2-default", "positions begin at one", "position-offset", "pos_embed", shifted_positions),
    Mistake("scale-missing", "llama-grouped", "attention's 1/√d is missing", "scale", "blocks.0.attn.pattern",
            lambda model: set_each(attentions_of(model), "scaling", 1.0)),
    Mistake("scale-twice", "llama-grouped", "attention's 1/√d is applied twice", "scale", "blocks.0.attn.pattern",
            lambda model: set_each(attentions_of(model), "scaling", attentions_of(model)[0].scaling ** 2)),
    Mistake("mask-missing", "llama-grouped", "there is no causal mask", "left-out", "blocks.0.attn.pattern", lambda _model: None, wide_open),
    Mistake("window-ignored", "mistral-default", "the sliding window is ignored", "sliding-window", "blocks.0.attn.scores", no_window),
    Mistake("loaded-twice", "llama-grouped", "a layer got the weights of the one before", "other-layer", "blocks.2.ln1.normalized", loaded_twice),
    Mistake("gain-unread", "llama-grouped", "a norm's gain is left at ones", "left-out", "blocks.0.ln1.normalized", first_gain_unread),
    Mistake("sequential", "gpt-neox-default", "attention and MLP one after the other instead of side by side", "config-flag",
            "blocks.0.ln2.normalized", sequential),
    Mistake("nan", "llama-grouped", "one number of a matrix is NaN", None, "blocks.1.mlp_out", not_a_number),
    Mistake("quantised", "llama-grouped", "one matrix is quantised much more coarsely than the rest", None, "blocks.1.mlp.pre_linear", quantised),
)  # fmt: skip


def captured(mistake: Mistake) -> dict[str, Tensor]:
    variant = next(v for v in VARIANTS if v.name == mistake.model)
    family = FAMILIES[variant.family]
    model_class = variant.model_class or family.model_class
    folder = MODELS / mistake.model
    model = model_class.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    parts, seen = family.parts(model), {}
    with mistake.make(model) or nullcontext(), recorded(parts, seen):
        out = model(
            input_ids=torch.tensor([IDS]), use_cache=False, output_hidden_states=True, output_attentions=True,
            **mistake.arguments(model),
        )  # fmt: skip
    last = len(out.attentions)
    sites = {f"blocks.{i}.attn.pattern": a[0] for i, a in enumerate(out.attentions)}
    sites |= {f"blocks.{i}.resid_post": out.hidden_states[i + 1][0] for i in range(last - 1)}
    sites |= {"ln_final.normalized": out.hidden_states[last][0], "logits": out.logits[0]} | seen
    return {name: value.detach().float().contiguous().clone() for name, value in sites.items()}


def main() -> None:
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.set_grad_enabled(False)
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    for mistake in MISTAKES:
        save_file(captured(mistake), HERE / f"{mistake.name}.safetensors")
        (HERE / f"{mistake.name}.safetensors").chmod(0o644)
        print(mistake.name)
    versions = {"torch": torch.__version__, "transformers": transformers.__version__, "numpy": numpy.__version__}
    told = [{"name": m.name, "model": m.model, "says": m.says, "row": m.row, "site": m.site} for m in MISTAKES]
    write_json(HERE / "mistakes.json", {"versions": versions, "ids": IDS, "mistakes": told})


if __name__ == "__main__":
    main()
