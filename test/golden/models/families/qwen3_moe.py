"""
Qwen3-MoE: Qwen3 with a mixture of experts instead of the MLP in some layers.

- Layer i has a mixture where it is not in `mlp_only_layers`, num_experts > 0 and (i + 1) is a multiple of
  `decoder_sparse_step`; else an MLP of intermediate_size. Experts have moe_intermediate_size.
- Weights are the softmax over all experts; `norm_topk_prob` divides those of the chosen by their sum. It is false where
  left out: then they sum to less than 1.
- Sites as in Mixtral: `mlp.router` are logits, `mlp.chosen` ids of experts, best first, `mlp.post` without the weight.
- `head_dim` is hidden_size / num_attention_heads where left out: not 128, as in Qwen3.
- `use_sliding_window` slides in all layers; max_window_layers and layer_types are not read.
- `attention_bias`: q, k, v and o.
"""

from __future__ import annotations

from functools import partial

from decoders import CONFIG, WINDOW, NormedHeads, finish, rows_of
from experts import ExpertParts, capture_with_routers, chooses_clearly
from family import Family
from torch import Tensor, nn
from transformers import Qwen3MoeConfig, Qwen3MoeForCausalLM


class Qwen3MoeParts(ExpertParts, NormedHeads):
    def mixture(self, layer: int) -> nn.Module | None:
        mlp = self.layers[layer].mlp
        return mlp if hasattr(mlp, "experts") else None

    def neurons(self, expert: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
        return expert.gate_proj(x), expert.up_proj(x)


row = rows_of("qwen3_moe", {
    **CONFIG,
    "intermediate_size": 20,
    "moe_intermediate_size": 8,
    "num_experts": 4,
    "num_experts_per_tok": 2,
    "norm_topk_prob": True,
})  # fmt: skip
FAMILY = Family(
    "qwen3_moe",
    Qwen3MoeConfig,
    Qwen3MoeForCausalLM,
    (
        row("default", "2 of 4 experts, norm_topk_prob true, a head_dim of its own", {"head_dim": 8}, sites=True),
        row("unnormed", "norm_topk_prob false; 3 of 5 experts", {
            "norm_topk_prob": False,
            "num_experts_per_tok": 3,
            "num_experts": 5,
        }),
        row("sparse-step", "decoder_sparse_step 2: layer 0 has an MLP, layer 1 experts", {
            "decoder_sparse_step": 2,
        }, sites=True),
        row("mlp-only", "mlp_only_layers: layer 1 has an MLP", {"mlp_only_layers": [1]}),
        row("sliding", "use_sliding_window: all layers", {
            "use_sliding_window": True,
            "sliding_window": WINDOW,
            "max_window_layers": 1,
        }),
        row("attention-bias", "attention_bias true, hidden_act gelu; tied", {
            "attention_bias": True,
            "hidden_act": "gelu",
            "tie_word_embeddings": True,
        }),
    ),
    Qwen3MoeParts,
    capture=partial(capture_with_routers, Qwen3MoeParts),
    is_clear=partial(chooses_clearly, 3),
    finish=finish,
)  # fmt: skip
