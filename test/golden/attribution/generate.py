"""
Writes what Captum computes for tiny models of ../models, and what the rules of AttnLRP give in PyTorch.

    python test/golden/attribution/generate.py

captum 0.9, torch 2.13, transformers 4.57; the versions that made it stand in golden.json. Scores are of tokens: what
Captum says of embeddings, summed over their numbers. All in float64, so that what differs is the method.
"""

from __future__ import annotations

import json
from pathlib import Path

import captum
import torch
import transformers
from captum.attr import (
    FeatureAblation,
    InputXGradient,
    IntegratedGradients,
    NoiseTunnel,
    Saliency,
    ShapleyValueSampling,
)
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

HERE = Path(__file__).resolve().parent
MODELS = HERE.parent / "models"
SEED = 7
IDS = [3, 17, 40, 9, 22, 5]
#: what takes the place of tokens that are left out
OTHER = 11
TARGET = {"gpt2-default": 30, "llama-default": 12, "llama-grouped": 12, "bert-two-labels": 1}
STEPS = {"gausslegendre": 20, "riemann_left": 12, "riemann_right": 12, "riemann_middle": 12, "riemann_trapezoid": 12}


def load(name: str) -> nn.Module:
    kind = AutoModelForSequenceClassification if name.startswith("bert") else AutoModelForCausalLM
    return kind.from_pretrained(MODELS / name, attn_implementation="eager").double().eval()


class Scores(nn.Module):
    """Logits of the answer from embeddings or ids. [batch, vocab or label]"""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: Tensor) -> Tensor:
        if inputs.dtype == torch.float64:
            logits = self.model(inputs_embeds=inputs).logits
        else:
            logits = self.model(input_ids=inputs).logits
        return logits if logits.dim() == 2 else logits[:, -1]


def per_token(attributions: Tensor) -> list[float]:
    return attributions[0].sum(-1).tolist()


def smooth(scores: Scores, embeddings: Tensor, target: int) -> dict:
    """NoiseTunnel draws by torch.normal: what it drew is written down, so that others can use the same."""
    drawn: list[Tensor] = []
    normal = torch.normal

    def recorded(*args, **kwargs):
        noise = normal(*args, **kwargs)
        drawn.append(noise)
        return noise

    torch.manual_seed(SEED)
    torch.normal = recorded
    try:
        tunnel = NoiseTunnel(Saliency(scores))
        found = tunnel.attribute(
            embeddings, nt_type="smoothgrad", nt_samples=4, stdevs=0.1, target=target, abs=False, nt_samples_batch_size=4
        )
    finally:
        torch.normal = normal
    noise = torch.cat(drawn).double()
    # by length: where a model norms its embeddings, gradients add up to nothing
    return {"norms": found[0].norm(dim=-1).tolist(), "stdev": 0.1, "noise": (noise / 0.1).tolist()}


def captum_of(name: str) -> dict:
    model = load(name)
    scores, target = Scores(model), TARGET[name]
    ids = torch.tensor([IDS])
    embeddings = model.get_input_embeddings()(ids).detach()
    torch.manual_seed(SEED)
    orders = [torch.randperm(len(IDS)).tolist() for _ in range(6)]
    shapley = ShapleyValueSampling(scores)
    shapley.permutation_generator = lambda _features, _samples: iter(orders)
    baseline = torch.full_like(ids, OTHER)
    return {
        "target": target,
        "value": scores(ids)[0, target].item(),
        "inputXGradient": per_token(InputXGradient(scores).attribute(embeddings, target=target)),
        "integratedGradients": {
            rule: {
                "steps": steps,
                "scores": per_token(
                    IntegratedGradients(scores).attribute(embeddings, target=target, method=rule, n_steps=steps)
                ),
            }
            for rule, steps in STEPS.items()
        },
        "smoothGrad": smooth(scores, embeddings, target),
        "ablation": FeatureAblation(scores).attribute(ids, baselines=baseline, target=target)[0].tolist(),
        "shapley": {
            "orders": orders,
            "scores": shapley.attribute(ids, baselines=baseline, target=target, n_samples=len(orders))[0].tolist(),
        },
    }


class Scaled(torch.autograd.Function):
    """The same value, with its gradient times a number."""

    @staticmethod
    def forward(ctx, x: Tensor, factor: float) -> Tensor:
        ctx.factor = factor
        return x

    @staticmethod
    def backward(ctx, gradient: Tensor):
        return gradient * ctx.factor, None


class Identity(torch.autograd.Function):
    """SiLU whose gradient is y/x: all relevance goes through."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        y = nn.functional.silu(x)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, gradient: Tensor):
        x, y = ctx.saved_tensors
        return gradient * y / x


def relevance(name: str, constant_attention: bool) -> dict:
    """
    AttnLRP (Achtibat 2024) in its efficient form, as the authors' LXT has it: norms by a constant, identity at
    activations, halves at products, so that queries and keys have a quarter and values a half. CP-LRP: attention's
    pattern is constant, and values have all.
    """
    from transformers.models.llama import modeling_llama as llama

    def norm(self, x: Tensor) -> Tensor:
        return self.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon).detach()

    def mlp(self, x: Tensor) -> Tensor:
        return self.down_proj(Scaled.apply(Identity.apply(self.gate_proj(x)) * self.up_proj(x), 0.5))

    eager = llama.eager_attention_forward

    def attention(module, query: Tensor, key: Tensor, value: Tensor, *args, **kwargs):
        if constant_attention:
            return eager(module, query.detach(), key.detach(), value, *args, **kwargs)
        return eager(
            module, Scaled.apply(query, 0.25), Scaled.apply(key, 0.25), Scaled.apply(value, 0.5), *args, **kwargs
        )

    before = llama.LlamaRMSNorm.forward, llama.LlamaMLP.forward, eager
    llama.LlamaRMSNorm.forward, llama.LlamaMLP.forward, llama.eager_attention_forward = norm, mlp, attention
    try:
        model = load(name)
        embeddings = model.get_input_embeddings()(torch.tensor([IDS])).detach().requires_grad_()
        logit = Scores(model)(embeddings)[0, TARGET[name]]
        logit.backward()
        return {"value": logit.item(), "scores": per_token(embeddings.detach() * embeddings.grad)}
    finally:
        llama.LlamaRMSNorm.forward, llama.LlamaMLP.forward, llama.eager_attention_forward = before


def main() -> None:
    torch.set_num_threads(1)
    golden = {
        "versions": {"captum": captum.__version__, "torch": torch.__version__, "transformers": transformers.__version__},
        **{"seed": SEED, "ids": IDS, "other": OTHER},
        "captum": {name: captum_of(name) for name in ["gpt2-default", "llama-default", "bert-two-labels"]},
        "relevance": {
            name: {"attnlrp": relevance(name, False), "cp": relevance(name, True)}
            for name in ["llama-default", "llama-grouped"]
        },
    }
    (HERE / "golden.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
