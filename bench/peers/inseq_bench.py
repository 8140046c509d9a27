"""
Inseq's side of bench/attribution.ts: python inseq_bench.py MODEL TOKENS THREADS

Each line on standard input names a case, which is run once; the answer is what it took. Inseq reads texts alone; the model has no tokenizer, so that one
with a word for each id is made here. What is attributed is the logit of one more token, given with the prompt.
"""

from __future__ import annotations

import sys
from functools import cache

import inseq
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from timing import answer_each_line


def words(count: int) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.WordLevel({f"t{i}": i for i in range(count)}, unk_token="t0"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="t0", eos_token="t0", pad_token="t0", unk_token="t0")


def main() -> None:
    folder, tokens, threads = sys.argv[1], *map(int, sys.argv[2:4])
    torch.set_num_threads(threads)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    vocab = model.config.vocab_size
    text = " ".join(f"t{(i * 7919 + 13) % vocab}" for i in range(tokens))
    settings = {"show_progress": False, "pretty_progress": False, "attributed_fn": "logit"}
    methods = {
        "gradient x input": ("input_x_gradient", {}),
        "integrated gradients, 20 steps": ("integrated_gradients", {"n_steps": 20, "internal_batch_size": 20}),
        "ablation of each token": ("occlusion", {}),
    }

    @cache
    def loaded(method: str):
        return inseq.load_model(model, method, tokenizer=words(vocab), device="cpu")

    answer_each_line(
        {
            name: lambda method=method, more=more: loaded(method).attribute(text, f"{text} t5", **settings, **more)
            for name, (method, more) in methods.items()
        }
    )


if __name__ == "__main__":
    main()
