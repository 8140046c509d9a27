"""Runs a model and writes down what it computes, under the site names of Cutaway."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

Sites = dict[str, Tensor]

#: The best token must beat the second by this much at each greedy step, so that rounding cannot change the choice.
LEAST_GAP = 5e-3


class Parts:
    """Where each family keeps the modules that Cutaway's sites stand for."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.config = model.config
        self.is_gpt2 = model.config.model_type == "gpt2"
        self.base = model.transformer if self.is_gpt2 else model.model
        #: blocks by their number in the loaded model, wherever they run
        self.layers = list(self.base.h if self.is_gpt2 else self.base.layers)
        self.heads = self.config.num_attention_heads
        default_dim = self.config.hidden_size // self.heads
        self.head_dim = default_dim if self.is_gpt2 else (getattr(self.config, "head_dim", None) or default_dim)
        self.kv_heads = self.heads if self.is_gpt2 else self.config.num_key_value_heads

    def run_order(self, layers: list[int]) -> None:
        """Runs these layers in this order; a layer may occur more than once."""
        modules = nn.ModuleList([self.layers[i] for i in layers])
        setattr(self.base, "h" if self.is_gpt2 else "layers", modules)
        self.config.num_hidden_layers = len(modules)  # transformers runs as many

    @property
    def embedding(self) -> nn.Module:
        return self.base.wte if self.is_gpt2 else self.base.embed_tokens

    @property
    def final_norm(self) -> nn.Module:
        return self.base.ln_f if self.is_gpt2 else self.base.norm

    def norms(self, layer: int) -> tuple[nn.Module, nn.Module]:
        block = self.layers[layer]
        if self.is_gpt2:
            return block.ln_1, block.ln_2
        return block.input_layernorm, block.post_attention_layernorm

    def attention(self, layer: int) -> nn.Module:
        block = self.layers[layer]
        return block.attn if self.is_gpt2 else block.self_attn

    def attention_out(self, layer: int) -> nn.Module:
        """The projection whose input is z, heads side by side, and whose output is attn_out."""
        attention = self.attention(layer)
        return attention.c_proj if self.is_gpt2 else attention.o_proj

    def mlp_in(self, layer: int) -> nn.Module:
        mlp = self.layers[layer].mlp
        return mlp.c_fc if self.is_gpt2 else mlp.gate_proj

    def mlp_out(self, layer: int) -> nn.Module:
        """The projection whose input is mlp.post and whose output is mlp_out."""
        mlp = self.layers[layer].mlp
        return mlp.c_proj if self.is_gpt2 else mlp.down_proj


def first(output: Tensor | tuple[Tensor, ...]) -> Tensor:
    return output[0] if isinstance(output, tuple) else output


@contextmanager
def recorded(parts: Parts, sites: Sites) -> Iterator[None]:
    """Writes every site that a module boundary shows into `sites` while the context is open; batch of one."""
    handles = []

    def after(module: nn.Module, name: str, view: Callable[[Tensor], Tensor] = lambda x: x) -> None:
        def hook(_module: nn.Module, _inputs: tuple, output: Tensor | tuple[Tensor, ...]) -> None:
            sites[name] = view(first(output)[0].detach().clone())

        handles.append(module.register_forward_hook(hook))

    def before(module: nn.Module, name: str, view: Callable[[Tensor], Tensor] = lambda x: x) -> None:
        def hook(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            sites[name] = view(inputs[0][0].detach().clone())

        handles.append(module.register_forward_pre_hook(hook))

    def heads(x: Tensor) -> Tensor:
        return x.unflatten(-1, (-1, parts.head_dim))

    after(parts.embedding, "embed")
    if parts.is_gpt2:
        after(parts.base.wpe, "pos_embed")
    for layer in range(len(parts.layers)):
        name = f"blocks.{layer}"
        ln1, ln2 = parts.norms(layer)
        after(ln1, f"{name}.ln1.normalized")
        after(ln2, f"{name}.ln2.normalized")
        before(ln2, f"{name}.resid_mid")
        attention = parts.attention(layer)
        if parts.is_gpt2:
            width = parts.heads * parts.head_dim
            for i, part in enumerate("qkv"):
                third = slice(i * width, (i + 1) * width)
                after(attention.c_attn, f"{name}.attn.{part}", lambda x, third=third: heads(x[:, third]))
        else:
            for part in "qkv":
                after(getattr(attention, f"{part}_proj"), f"{name}.attn.{part}", heads)
            after(parts.layers[layer].mlp.up_proj, f"{name}.mlp.pre_linear")
        before(parts.attention_out(layer), f"{name}.attn.z", heads)
        after(parts.attention_out(layer), f"{name}.attn_out")
        after(parts.mlp_in(layer), f"{name}.mlp.pre")
        before(parts.mlp_out(layer), f"{name}.mlp.post")
        after(parts.mlp_out(layer), f"{name}.mlp_out")
        after(parts.layers[layer], f"{name}.resid_post")
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def forward(model: nn.Module, ids: list[int]) -> Sites:
    """Logits, hidden states and attentions as transformers gives them, named as sites, without the batch axis."""
    out = model(
        input_ids=torch.tensor([ids]),
        use_cache=False,
        output_hidden_states=True,
        output_attentions=True,
    )
    layers = len(out.attentions)
    sites = {f"blocks.{i}.resid_pre": out.hidden_states[i][0] for i in range(layers)}
    sites["ln_final.normalized"] = out.hidden_states[layers][0]  # transformers' last hidden state is normed
    sites |= {f"blocks.{i}.attn.pattern": a[0] for i, a in enumerate(out.attentions)}
    sites["logits"] = out.logits[0]
    return sites


def forward_all(model: nn.Module, ids: list[int]) -> Sites:
    """What `forward` gives, and every site that a hook can see."""
    seen: Sites = {}
    with recorded(Parts(model), seen):
        return {**forward(model, ids), **seen}


def greedy(model: nn.Module, prompt: list[int], steps: int, *, cache: bool = True) -> tuple[list[int], Tensor]:
    """
    Greedy generation by the model's own forward, EOS ignored.
    Returns the new ids, and the logits each was chosen from [step, vocab].
    """
    ids, rows, past = list(prompt), [], None
    for _ in range(steps):
        fed = ids if past is None else ids[-1:]
        out = model(input_ids=torch.tensor([fed]), past_key_values=past, use_cache=cache)
        past = out.past_key_values if cache else None
        rows.append(out.logits[0, -1])
        ids.append(int(rows[-1].argmax()))
    return ids[len(prompt) :], torch.stack(rows)


def narrowest_gap(logits: Tensor) -> float:
    """By how much the best token beats the second, where they are nearest [step, vocab]."""
    best = logits.topk(2).values
    return float((best[:, 0] - best[:, 1]).min())


def generate(model: nn.Module, prompt: list[int], steps: int) -> list[int]:
    """Greedy generation by `model.generate`, EOS ignored."""
    ids = torch.tensor([prompt])
    model.generation_config.eos_token_id = None  # an argument of None would fall back to the config's
    model.generation_config.pad_token_id = 0
    out = model.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=steps, do_sample=False, use_cache=True
    )
    return out[0, len(prompt) :].tolist()
