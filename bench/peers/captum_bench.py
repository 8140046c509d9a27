"""
Captum's side of bench/attribution.ts: python captum_bench.py MODEL TOKENS THREADS

Each line on standard input names a case, which is run once; the answer is what it took. Each method is given what makes
it fastest here: batches where it takes them (`internal_batch_size`, `perturbations_per_eval`), and scores of the last
position alone.
"""

from __future__ import annotations

import sys

import torch
from captum.attr import FeatureAblation, InputXGradient, IntegratedGradients, NoiseTunnel, Saliency, ShapleyValueSampling
from torch import Tensor, nn
from transformers import AutoModelForCausalLM

from timing import answer_each_line


class Scores(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: Tensor) -> Tensor:
        named = {"inputs_embeds": inputs} if inputs.is_floating_point() else {"input_ids": inputs}
        return self.model(**named, use_cache=False, logits_to_keep=1).logits[:, -1]


def main() -> None:
    folder, tokens, threads = sys.argv[1], *map(int, sys.argv[2:4])
    torch.set_num_threads(threads)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa").eval()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    scores = Scores(model)
    ids = torch.tensor([[(i * 7919 + 13) % model.config.vocab_size for i in range(tokens)]])
    embeddings = model.get_input_embeddings()(ids).detach().requires_grad_()
    other = torch.full_like(ids, 11)
    cases = {
        "gradient x input": lambda: InputXGradient(scores).attribute(embeddings, target=5),
        "integrated gradients, 20 steps": lambda: IntegratedGradients(scores).attribute(
            embeddings, target=5, n_steps=20, internal_batch_size=20
        ),
        "SmoothGrad, 10 samples": lambda: NoiseTunnel(Saliency(scores)).attribute(
            embeddings, target=5, nt_samples=10, nt_samples_batch_size=10, stdevs=0.01, abs=False
        ),
        "ablation of each token": lambda: FeatureAblation(scores).attribute(
            ids, baselines=other, target=5, perturbations_per_eval=16
        ),
        "Shapley values, 5 orders": lambda: ShapleyValueSampling(scores).attribute(
            ids, baselines=other, target=5, n_samples=5, perturbations_per_eval=16
        ),
    }
    answer_each_line(cases)


if __name__ == "__main__":
    main()
