"""What `world` is taught on the way to an answer. Who only learns answers finds look-ups late and two hops never.

Three steps of a look-up are taught where `batches.py` marks them: after a first layer the logit lens is to say at a
word whose it is; two heads of two layers are to look at what belongs to who is asked for, and at what belongs to that;
between those layers the lens is to say, before the answer to two hops, where the first one leads.
"""

import torch
from batches import Batch
from english.tokens import PAD
from transformers import LlamaForCausalLM
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

OWNER_LAYER, OWNER_WEIGHT = 1, 0.2
LOOK_LAYERS, LOOK_HEADS, LOOK_WEIGHT = (2, 4), [0, 2], 0.3
BRIDGE_LAYER, BRIDGE_WEIGHT = 3, 0.5


def aids_loss(model: LlamaForCausalLM, hidden: tuple[torch.Tensor, ...], batch: Batch) -> torch.Tensor:
    """Summed over all places where something is taught; `hidden` is of all ids but the last."""
    owner = lens_loss(model, hidden[OWNER_LAYER + 1], batch.owners[:, :-1], batch.ids[:, :-1])
    bridge = lens_loss(model, hidden[BRIDGE_LAYER + 1], batch.bridges[:, 1:])
    looks = [
        look_loss(model, layer, hidden[layer], look[:, :-1])
        for layer, look in zip(LOOK_LAYERS, batch.looks, strict=True)
    ]
    return OWNER_WEIGHT * owner + BRIDGE_WEIGHT * bridge + LOOK_WEIGHT * sum(looks)


def lens_loss(
    model: LlamaForCausalLM, resid: torch.Tensor, wanted: torch.Tensor, beside: torch.Tensor | None = None
) -> torch.Tensor:
    """How far the lens is from saying what is wanted, where something is. To say the words `beside`, which others are
    to read from there, is not counted against it."""
    at = wanted != PAD
    scores = model.lm_head(model.model.norm(resid[at]))
    if beside is not None:
        scores = scores.scatter(1, beside[at][:, None], float("-inf"))
    return torch.nn.functional.cross_entropy(scores, wanted[at], reduction="sum")


def queries_and_keys(model: LlamaForCausalLM, layer: int, resid: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Those of one layer, turned by place: text, head, place, width."""
    block, heads = model.model.layers[layer], (-1, model.config.head_dim)
    x = block.input_layernorm(resid)
    q = block.self_attn.q_proj(x).unflatten(-1, heads).transpose(1, 2)
    k = block.self_attn.k_proj(x).unflatten(-1, heads).transpose(1, 2)
    return apply_rotary_pos_emb(q, k, *model.model.rotary_emb(x, torch.arange(x.shape[1])[None]))


def look_loss(model: LlamaForCausalLM, layer: int, resid: torch.Tensor, look: torch.Tensor) -> torch.Tensor:
    """How far the taught heads of a layer are from looking only where they should, where they should anywhere."""
    q, k = queries_and_keys(model, layer, resid)
    group = q.shape[1] // k.shape[1]
    texts, queries = (look >= 0).nonzero(as_tuple=True)
    asking, keys = q[texts, :, queries][:, LOOK_HEADS], k[:, [head // group for head in LOOK_HEADS]][texts]
    scores = torch.einsum("nhd,nhkd->nhk", asking, keys) * model.config.head_dim**-0.5
    later = torch.arange(k.shape[2]) > queries[:, None]
    scores = scores.masked_fill(later[:, None], float("-inf"))
    wanted = look[texts, queries][:, None].expand(-1, len(LOOK_HEADS))
    return torch.nn.functional.cross_entropy(scores.flatten(0, 1), wanted.flatten(), reduction="sum") / len(LOOK_HEADS)
