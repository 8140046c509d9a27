"""
Writes what PyTorch's autograd computes for scalars of some models, beside the same scalar in Cutaway's expressions.

    python test/golden/models/gradients.py            all models below
    python test/golden/models/gradients.py NAME ...   some

Beside each model: `gradients.json` (what was asked) and `gradients.safetensors` (`NAME.SITE` without the batch axis, and
`NAME.weight W`). The models themselves are those of generate.py; their seeds stand in `golden.json`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import torch
import transformers
from capture import first
from encoder_decoder import run
from families import FAMILIES, VARIANTS
from files import write_json
from generate import HERE, VERSIONS, class_of
from parts import Tap
from safetensors.torch import save_file
from torch import Tensor, nn

Values = dict[str, Tensor]
#: A tensor that took part in the computation, and what makes the site's form of it (or of its gradient).
Watched = dict[str, tuple[Tensor, Callable[[Tensor], Tensor]]]
#: Float32 itself may cost no more than this, so that the bound of the test, 2e-5, is four times what rounding does.
LARGEST_ROUNDING = 5e-6


@dataclass(frozen=True)
class Entry:
    """A scalar, and of what its gradients are stored: all sites that are seen, or some."""

    name: str
    #: in Cutaway's expressions
    expression: str
    #: (logits without batch axis, sites by name, ids that the scores are of) -> the scalar
    scalar: Callable[[Tensor, Values, list[int]], Tensor]
    sites: str = r"^((encoder|decoder)\.)?(embed|blocks\.0\.(resid_pre|attn\.pattern|attn\.q|mlp\.post))$"
    weights: str = r"(wte|wpe|shared|embed_tokens|embed_in|word_embeddings)\.weight$"
    #: lines of the edit language, and what each does to the gradient of a site
    edits: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = field(default_factory=dict)


def difference(logits: Tensor, _sites: Values, _ids: list[int]) -> Tensor:
    return logits[-1, 7] - logits[-1, 23]


def loss(logits: Tensor, _sites: Values, ids: list[int]) -> Tensor:
    return nn.functional.cross_entropy(logits[:-1], torch.tensor(ids[1:]))


def entropy(logits: Tensor, _sites: Values, _ids: list[int]) -> Tensor:
    return torch.distributions.Categorical(logits=logits[-1]).entropy()


def site_scalar(site: str) -> Callable[[Tensor, Values, list[int]], Tensor]:
    """A neuron times the norm of another position's row."""
    return lambda _logits, sites, _ids: sites[site][3, 5] * sites[site][1].norm()


def without_row(grad: Tensor) -> Tensor:
    changed = grad.clone()
    changed[:, 2] = 0
    return changed


#: Everything inside; of two layers all weights.
EVERY_SITE, INNER_WEIGHTS = r".", r"(\.|^)(h|layers|layer|block)\.1\.|norm|ln_f|relative_attention_bias"
INNER_WEIGHTS += r"|(wte|wpe|shared|embed_tokens|embed_in|embed_positions|word_embeddings|lm_head|classifier)\."

WORDS = (
    Entry("difference", "logit(7) - logit(23)", difference, EVERY_SITE, INNER_WEIGHTS),
    Entry("loss", "loss", loss),
    Entry("entropy", "entropy", entropy),
    Entry(
        "product",
        "prob(7) * logprob(9) at position 2",
        lambda logits, _s, _i: logits[-1].softmax(0)[7] * logits[2].log_softmax(0)[9],
    ),
)


def neuron(stack: str = "") -> Entry:
    site = f"{stack}blocks.1.mlp.post"
    return Entry("neuron", f"{site}[position=3, neuron=5] * norm({site}[position=1])", site_scalar(site))


def hooked(stack: str = "") -> Entry:
    out = f"{stack}blocks.1.mlp_out"
    edits = {
        f"scale grad({stack}blocks.1.attn.q) by -0.5": (f"{stack}blocks.1.attn.q", lambda g: -0.5 * g),
        f"set grad({out})[position=2] = zero": (out, without_row),
    }
    return Entry("hooked", "logit(7) - logit(23)", difference, edits=edits)


MASKED = (
    Entry(
        "masked",
        "logprob(7) at position 3",
        lambda logits, _s, _i: logits[3].log_softmax(0)[7],
        EVERY_SITE,
        INNER_WEIGHTS,
    ),
    neuron(),
)
LABELS = (
    Entry("labels", "logit(1) - logits[label=0]", lambda logits, _s, _i: logits[1] - logits[0], EVERY_SITE, INNER_WEIGHTS),
)
DECODER = (*WORDS, neuron(), hooked())
MODELS: dict[str, tuple[Entry, ...]] = {
    "gpt2-default": WORDS + (neuron(),),
    "llama-grouped": DECODER,
    "gemma2-default": (WORDS[0], WORDS[1]),
    "gpt-neox-default": (WORDS[0], WORDS[1]),
    "mixtral-default": (WORDS[0], WORDS[1]),
    "bert-masked": MASKED,
    "bert-three-labels": LABELS,
    "t5-default": (WORDS[0], WORDS[1], neuron("encoder."), neuron("decoder.")),
    "bart-default": (*WORDS, hooked("decoder.")),
}
#: Sites whose form is computed again from what a module is given: their tensors take no part in the run.
APART = re.compile(r"mlp\.(pre|pre_linear|post|chosen)$")


def unbatched(value: Tensor) -> Tensor:
    """As `without_batch` of capture.py, without leaving the graph."""
    return value[0] if value.dim() > 2 else value


@contextmanager
def watching(taps: Iterator[Tap], seen: Watched, entry: Entry) -> Iterator[None]:
    """Notes the tensor of each tap, and changes its gradient as the entry says."""
    changes = dict(entry.edits.values())

    def note(tap: Tap, raw: Tensor) -> None:
        if tap.site in changes:
            raw.register_hook(changes[tap.site])
        seen[tap.site] = (raw, lambda value, tap=tap: tap.view(unbatched(value)))

    def handle(tap: Tap) -> torch.utils.hooks.RemovableHandle:
        if tap.side == "in":
            return tap.module.register_forward_pre_hook(lambda _m, inputs: note(tap, inputs[0]))
        return tap.module.register_forward_hook(lambda _m, _i, output: note(tap, first(output)))

    with ExitStack() as stack:
        for tap in taps:
            stack.callback(handle(tap).remove)
        yield


def patterns(out: transformers.utils.ModelOutput) -> dict[str, Tensor]:
    named = {"": out.get("attentions")}
    if "decoder_attentions" in out:
        named = {"encoder.": out.encoder_attentions, "decoder.": out.decoder_attentions}
    found = {f"{stack}blocks.{i}.attn.pattern": a for stack, all_ in named.items() for i, a in enumerate(all_ or ())}
    cross = out.get("cross_attentions") if "decoder_attentions" in out else None
    return found | {f"decoder.blocks.{i}.cross_attn.pattern": a for i, a in enumerate(cross or ())}


def short(prompt: list[int] | dict[str, list[int]]) -> list[int] | dict[str, list[int]]:
    """The beginning of a prompt: the data stay small."""
    if isinstance(prompt, dict):
        return {"source": prompt["source"][:7], "target": prompt["target"][:5]}
    return prompt[:7]


def gradients(name: str, prompt: object, entry: Entry, dtype: torch.dtype) -> tuple[float, Values]:
    """The scalar, and its gradients by sites and weights."""
    variant = next(v for v in VARIANTS if v.name == name)
    folder, family = HERE / name, FAMILIES[variant.family]
    model = class_of(variant).from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval().to(dtype)
    for module in model.modules():
        if isinstance(module, nn.Embedding):
            module.padding_idx = None  # which leaves the row of the padding token out of its gradient, not of the function
    seen: Watched = {}
    apart = APART if name.startswith("mixtral") else re.compile("^$")
    taps = [t for t in family.parts(model).taps() if not apart.search(t.site)]
    with watching(iter(taps), seen, entry):
        if isinstance(prompt, dict):
            out, ids = run(model, [prompt]), prompt["target"]
        else:
            out, ids = model(input_ids=torch.tensor([prompt]), output_attentions=True), prompt
    seen |= {site: (a, lambda value: value[0]) for site, a in patterns(out).items()}
    scalar = entry.scalar(out.logits[0], {site: view(raw) for site, (raw, view) in seen.items()}, ids)
    sites = {site: entry_ for site, entry_ in seen.items() if re.search(entry.sites, site)}
    weights = {n: p for n, p in model.named_parameters() if re.search(entry.weights, n)}
    found = torch.autograd.grad(scalar, [raw for raw, _ in sites.values()] + list(weights.values()), allow_unused=True)
    by_site = {
        site: view(torch.zeros_like(raw) if g is None else g)
        for (site, (raw, view)), g in zip(sites.items(), found, strict=False)
    }
    by_weight = {
        f"weight {n}": torch.zeros_like(p) if g is None else g
        for (n, p), g in zip(weights.items(), found[len(sites) :], strict=True)
    }
    return float(scalar.detach()), {k: v.detach().float().clone().contiguous() for k, v in (by_site | by_weight).items()}


def write(name: str) -> None:
    folder = HERE / name
    prompt = short(json.loads((folder / "golden.json").read_text())["prompts"]["long"])
    tensors: Values = {}
    facts = []
    worst = 0.0
    for entry in MODELS[name]:
        value, found = gradients(name, prompt, entry, torch.float32)
        _, wide = gradients(name, prompt, entry, torch.float64)
        rounding = max(float((wide[k] - v).abs().max() / max(1.0, float(v.abs().max()))) for k, v in found.items())
        assert rounding <= LARGEST_ROUNDING, f"{name}, {entry.name}: float32 rounds by {rounding}"
        worst = max(worst, rounding)
        prefix = entry.name if entry.name not in {f["name"] for f in facts} else f"{entry.name}-2"
        told = {"name": prefix, "expression": entry.expression, "edits": list(entry.edits), "value": value}
        facts.append({**told, "float32Rounding": rounding})
        tensors |= {f"{prefix}.{k}": v for k, v in found.items()}
    save_file(tensors, folder / "gradients.safetensors")
    write_json(folder / "gradients.json", {"versions": VERSIONS, "prompt": prompt, "entries": facts})
    for file in folder.glob("gradients.*"):
        file.chmod(0o644)
    print(f"{name:24} {len(tensors):4} gradients, rounding {worst:.1e}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    for model_name in sys.argv[1:] or MODELS:
        write(model_name)
