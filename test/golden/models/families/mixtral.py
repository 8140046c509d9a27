"""
Mixtral: Mistral with a mixture of experts instead of each MLP.

- `mlp.router` is the gate's logits, one for each of num_local_experts. The num_experts_per_tok best are chosen; their
  weights are the softmax over all experts, divided by the sum over those chosen (so: the softmax over the chosen).
- The block adds up weight · w2(act(w1 · x) ⊙ w3 · x): w1 is the gate (`mlp.pre`), w3 up (`mlp.pre_linear`), w2 down.
  The weight multiplies after w2, so `mlp.post` is without it.
- `mlp.chosen`: ids of experts, best first; `mlp.pre`, `pre_linear`, `post`: [position, slot, neuron] in that order.
- `sliding_window` null by default, else for all layers. router_jitter_noise matters in training alone.
- rope_theta is 1e6 where left out, head_dim hidden_size / num_attention_heads.
"""

from __future__ import annotations

from functools import partial

from decoders import CONFIG, WINDOW, finish, rows_of
from experts import ExpertParts, capture_with_routers, chooses_clearly
from family import Family
from torch import Tensor, nn
from transformers import MixtralConfig, MixtralForCausalLM


class MixtralParts(ExpertParts):
    def mixture(self, layer: int) -> nn.Module:
        block = self.layers[layer]
        return getattr(block, "block_sparse_moe", None) or block.mlp

    def neurons(self, expert: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
        return expert.w1(x), expert.w3(x)


row = rows_of("mixtral", {
    **CONFIG,
    "intermediate_size": 8,
    "num_local_experts": 4,
    "num_experts_per_tok": 2,
    "rope_theta": 10000.0,
})  # fmt: skip
FAMILY = Family(
    "mixtral",
    MixtralConfig,
    MixtralForCausalLM,
    (
        row("default", "2 of 4 experts", sites=True),
        row("one-expert", "1 of 4 experts, whose weight is 1", {"num_experts_per_tok": 1}),
        row("three-experts", "3 of 5 experts, hidden_act gelu, an rms_norm_eps that shows", {
            "num_experts_per_tok": 3,
            "num_local_experts": 5,
            "hidden_act": "gelu",
            "rms_norm_eps": 0.05,
        }),
        row("sliding", "sliding_window, and head_dim that is not hidden_size / num_attention_heads", {
            "sliding_window": WINDOW,
            "head_dim": 8,
        }),
        row("tied", "tie_word_embeddings true, as many keys as queries", {
            "tie_word_embeddings": True,
            "num_key_value_heads": 4,
        }),
    ),
    MixtralParts,
    capture=partial(capture_with_routers, MixtralParts),
    is_clear=partial(chooses_clearly, 3),
    finish=finish,
)  # fmt: skip
