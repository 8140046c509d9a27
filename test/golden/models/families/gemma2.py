"""
Gemma 2: Gemma with norms after each sublayer too, soft caps, and a window in every second layer.

- Scores: scale, then cap · tanh(scores / cap), then mask. Logits likewise. A cap of null: none.
- The scale of scores is query_pre_attn_scalar ** -0.5, not head_dim ** -0.5; it defaults to 256.
- Without `layer_types`, even layers (0, 2 ...) slide. A window of W: a query sees itself and W − 1 positions before.
- Norms: input_layernorm = ln1, post_attention_layernorm = ln1_post (not ln2!), pre_feedforward_layernorm = ln2,
  post_feedforward_layernorm = ln2_post. `attn_out` and `mlp_out` are after the post norms, `attn.out_raw` and
  `mlp.out_raw` before.
- Defaults where config.json is silent: caps 50 and 30, sliding_window 4096, head_dim 256, tied; the activation's field
  is `hidden_activation`.
"""

from __future__ import annotations

from decoders import CONFIG, WINDOW, NormedBothSides, draw_gemma, finish, rows_of
from family import Family
from families.gemma import ScaledEmbedding
from transformers import Gemma2Config, Gemma2ForCausalLM


class Gemma2Parts(ScaledEmbedding, NormedBothSides):
    pass


row = rows_of("gemma2", {
    **CONFIG,
    "head_dim": 8,
    "query_pre_attn_scalar": 8,
    "sliding_window": WINDOW,
    "attn_logit_softcapping": 3.0,
    "final_logit_softcapping": 6.0,
    "bos_token_id": 2,
    "eos_token_id": 1,
})  # fmt: skip
FAMILY = Family(
    "gemma2",
    Gemma2Config,
    Gemma2ForCausalLM,
    (
        row("default", "post norms, both soft caps, layers 0 and 2 slide", {"num_hidden_layers": 3}, sites=True),
        row("uncapped", "both soft caps null", {"attn_logit_softcapping": None, "final_logit_softcapping": None}),
        row("attention-cap", "a soft cap of attention alone, small", {
            "attn_logit_softcapping": 0.7,
            "final_logit_softcapping": None,
        }),
        row("query-scalar", "query_pre_attn_scalar that is not head_dim", {"query_pre_attn_scalar": 2}),
        row("layer-types", "layer_types given: full, then sliding", {
            "layer_types": ["full_attention", "sliding_attention"],
        }),
        row("untied", "tie_word_embeddings false; as many keys as queries", {
            "tie_word_embeddings": False,
            "num_key_value_heads": 4,
            "head_dim": 4,
        }),
        row("attention-bias", "attention_bias true: q, k, v and o", {"attention_bias": True}),
        row("silu", "hidden_activation silu; rms_norm_eps and rope_theta that show", {
            "hidden_activation": "silu",
            "rms_norm_eps": 0.05,
            "rope_theta": 300.0,
        }),
        row("v5-config", "config.json as transformers 5 writes it: rope_parameters, layer_types, dtype", {
            "rope_theta": 300.0,
        }, layout="v5-config"),
    ),
    Gemma2Parts,
    draw=draw_gemma,
    finish=finish,
)  # fmt: skip
