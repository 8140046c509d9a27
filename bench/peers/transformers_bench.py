"""
Times Hugging Face transformers on a model folder and prints one JSON document.

    python bench/peers/transformers_bench.py MODEL [--cases cases.json] [--threads 2]

Seconds and bytes. The model is loaded as float32 whatever the file holds.
"""

from __future__ import annotations

import json
import time
from functools import partial

from timing import Cases, arguments, child, ids_of_length, machine, measure, peak_rss_bytes, starts

ARGS = arguments(__doc__)

import torch  # noqa: E402  after the environment is set
import transformers  # noqa: E402

IMPORTED = time.monotonic()


def load(attention: str) -> torch.nn.Module:
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return transformers.AutoModelForCausalLM.from_pretrained(
        ARGS.model, dtype=torch.float32, attn_implementation=attention, local_files_only=True
    ).eval()


def input_ids(model: torch.nn.Module, length: int, seed: int) -> torch.Tensor:
    return torch.tensor([ids_of_length(length, model.config.vocab_size, seed)])


def lengths_within(model: torch.nn.Module, lengths: tuple[int, ...]) -> list[int]:
    return [n for n in lengths if n <= model.config.max_position_embeddings]


def decode(model: torch.nn.Module, prompt: torch.Tensor, tokens: int) -> tuple[float, float]:
    """Greedy with a cache: seconds of the prefill, and of the `tokens` steps after it."""
    start = time.perf_counter()
    out = model(input_ids=prompt, use_cache=True)
    prefilled = time.perf_counter()
    for _ in range(tokens):
        token = out.logits[:, -1:].argmax(-1)
        out = model(input_ids=token, past_key_values=out.past_key_values, use_cache=True)
    return prefilled - start, time.perf_counter() - prefilled


def tokens_per_second(model: torch.nn.Module, cases: Cases) -> dict:
    prompt = input_ids(model, cases.decodePrompt, cases.seed)
    run = partial(decode, model, prompt, cases.decodeTokens)
    run()
    runs = sorted(run() for _ in range(cases.repeats))
    seconds = sorted(step for _, step in runs)[len(runs) // 2]
    return {"tokensPerSecond": cases.decodeTokens / seconds, "prefill": runs[len(runs) // 2][0]}


def first_token() -> dict:
    model = load("sdpa")
    loaded = time.monotonic()
    with torch.no_grad():
        token = int(model(input_ids=input_ids(model, ARGS.length, 1)).logits[0, -1].argmax())
    stamps = {"imported": IMPORTED, "loaded": loaded, "firstToken": time.monotonic()}
    return {"stamps": stamps, "token": token}


def peak(capture: bool) -> dict:
    model = load("eager" if capture else "sdpa")
    loaded = peak_rss_bytes()
    with torch.no_grad():
        kept = model(
            input_ids=input_ids(model, ARGS.length, 1),
            use_cache=False,
            output_hidden_states=capture,
            output_attentions=capture,
        )
    return {"loaded": loaded, "forward": peak_rss_bytes(), "logits": list(kept.logits.shape)}


def forward_times(cases: Cases) -> dict:
    result: dict[str, dict] = {"forward": {}, "forwardCaptured": {}, "decode": {}}
    for attention in cases.attention:
        model = load(attention)
        ids = {n: input_ids(model, n, cases.seed) for n in {*cases.lengths, *cases.captureLengths}}
        result["forward"][attention] = {
            n: measure(partial(model, input_ids=ids[n], use_cache=False), cases)
            for n in lengths_within(model, cases.lengths)
        }
        result["decode"][attention] = tokens_per_second(model, cases)
        if attention == "eager":  # only eager attention can give its patterns
            capture = {"use_cache": False, "output_hidden_states": True, "output_attentions": True}
            result["forwardCaptured"] = {
                n: measure(partial(model, input_ids=ids[n], **capture), cases)
                for n in lengths_within(model, cases.captureLengths)
            }
    return result


def everything() -> dict:
    cases = Cases.read(ARGS.cases)
    longest = max(n for n in cases.lengths if n <= limit())
    return {
        "peer": "transformers",
        "versions": {"transformers": transformers.__version__, "torch": torch.__version__},
        "machine": machine(torch.get_num_threads()),
        "start": starts(__file__, ARGS, cases),
        "peakRssBytes": {
            "length": longest,
            "plain": child(__file__, ARGS, "peak", longest),
            "captured": child(__file__, ARGS, "peak-captured", longest),
        },
        **forward_times(cases),
    }


def limit() -> int:
    return transformers.AutoConfig.from_pretrained(ARGS.model).max_position_embeddings


def main() -> None:
    torch.set_num_threads(ARGS.threads)
    torch.set_grad_enabled(False)
    tasks = {
        "first-token": first_token,
        "peak": partial(peak, capture=False),
        "peak-captured": partial(peak, capture=True),
        None: everything,
    }
    print(json.dumps(tasks[ARGS.child]()))


if __name__ == "__main__":
    main()
