"""What transformers computes after each intervention, beside the same intervention in Cutaway's edit language."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from capture import LEAST_GAP, narrowest_gap
from safetensors.torch import save_file
from scene import Change, Scene, Steps, changeable_patterns, every_step
from torch import Tensor, nn
from transformers import DynamicCache

#: An intervention must move some logit by this much, else it would show nothing.
LEAST_EFFECT = 1e-2
GENERATED = 8
PROMPT = [5, 42, 9, 9, 31, 0, 58, 23, 42, 12, 7]
OTHER_PROMPT = [33, 1, 60, 14, 14, 27, 8, 45, 3, 19, 52]


@dataclass(frozen=True)
class Edit:
    """One line of the edit language, and what it means in PyTorch."""

    text: str
    act: Callable[[Scene], object]


@dataclass(frozen=True)
class Entry:
    name: str
    edits: list[Edit]
    #: greedy generation of this many tokens with a cache; 0: the prefill alone
    generate: int = 0


@dataclass(frozen=True)
class Names:
    """Weights of layer 1 as the file names them, and the axis of a key's or value's head."""

    mlp_in: str
    mlp_in_bias: str | None
    attention_out: str
    norm: str
    embedding: str
    kv_axis: str


NAMES = {
    "gpt2": Names(
        "transformer.h.1.mlp.c_fc.weight",
        "transformer.h.1.mlp.c_fc.bias",
        "transformer.h.1.attn.c_proj.weight",
        "transformer.h.1.ln_2.weight",
        "transformer.wte.weight",
        "head",
    ),
    "llama": Names(
        "model.layers.1.mlp.gate_proj.weight",
        None,
        "model.layers.1.self_attn.o_proj.weight",
        "model.layers.1.post_attention_layernorm.weight",
        "model.embed_tokens.weight",
        "kvHead",
    ),
}


def words(ids: list[int]) -> str:
    return " ".join(f"t{i}" for i in ids)


def at(where: tuple, value: float | Tensor) -> Change:
    """Sets the part of a value that `where` selects; the batch axis comes first."""
    return lambda x: x.__setitem__(where, value)


def times(where: tuple, factor: float) -> Change:
    return lambda x: x.__setitem__(where, x[where] * factor)


def site(text: str, name: str, change: Change, steps: Steps = every_step) -> Edit:
    return Edit(text, lambda scene: scene.change_site(name, change, steps))


def drop_head(layer: int, head: int) -> Edit:
    return site(f"drop head {layer}.{head}", f"blocks.{layer}.attn.z", at((..., head, slice(None)), 0))


def from_prompt(text: str, name: str, where: tuple) -> Edit:
    """Patches a value from an unedited run of the other prompt; the selector is in `text`."""

    def act(scene: Scene) -> None:
        donor = scene.unedited(OTHER_PROMPT)[name][None]
        scene.change_site(name, at(where, donor[where]))

    return Edit(f'set {text} = from prompt "{words(OTHER_PROMPT)}"', act)


def mean_of_head(layer: int, head: int) -> Edit:
    """Sets z of a head to its mean over the positions of the unedited run."""
    name = f"blocks.{layer}.attn.z"

    def act(scene: Scene) -> None:
        mean = scene.unedited(PROMPT)[name][:, head].mean(dim=0)
        scene.change_site(name, at((slice(None), slice(None), head), mean))

    return Edit(f"set {name}[head={head}] = mean", act)


def add_direction(amount: float, plus: int, minus: int, layer: int) -> Edit:
    name = f"blocks.{layer}.resid_post"

    def act(scene: Scene) -> None:
        vector = amount * scene.unit_difference(plus, minus)
        scene.change_site(name, lambda x: x.add_(vector))

    return Edit(f'add {amount} * direction("t{plus}" - "t{minus}") at {name}', act)


def add_vector(amount: float, vector: Tensor, where: tuple, text: str, name: str) -> Edit:
    def act(scene: Scene) -> None:
        scene.change_site(name, lambda x: x.__setitem__(where, x[where] + amount * vector))

    return Edit(f'add {amount} * vector(edits.safetensors, "vectors.model") at {text}', act)


def weight(name: str, selector: str, operator: str, number: float, where: tuple | int = ()) -> Edit:
    """Changes a part of a weight seen as [out, in]."""

    def act(scene: Scene) -> None:
        matrix = scene.matrix(name)
        matrix[where] = {"=": number, "*=": matrix[where] * number, "+=": matrix[where] + number}[operator]

    return Edit(f"weight {name}{selector} {operator} {number}", act)


def order(text: str, layers: list[int]) -> Edit:
    return Edit(text, lambda scene: scene.parts.run_order(layers))


def vectors_for(model: nn.Module, names: Names) -> dict[str, Tensor]:
    """Random vectors and a matrix that the edits read from edits.safetensors."""
    source = torch.Generator().manual_seed(99)
    matrix = Scene(model).matrix(names.mlp_in)
    stored = model.get_parameter(names.mlp_in)
    return {
        "vectors.model": torch.randn(model.config.hidden_size, generator=source),
        "vectors.out": torch.randn(matrix.shape[0], generator=source),
        "vectors.in": torch.randn(matrix.shape[1], generator=source),
        "replacement": 0.3 * torch.randn(stored.shape, generator=source),
    }


def site_entries(names: Names, vectors: dict[str, Tensor]) -> list[Entry]:
    everything = slice(None)
    kv = names.kv_axis
    row = (everything, everything)
    return [
        Entry("zero-head", [site("set blocks.1.attn.z[head=2] = zero", "blocks.1.attn.z", at((*row, 2), 0))]),
        Entry("drop-head", [drop_head(1, 2)]),
        Entry(
            "scale-neuron",
            [
                site(
                    "scale blocks.1.mlp.post[position=6, neuron=17] by -8",
                    "blocks.1.mlp.post",
                    times((everything, 6, 17), -8),
                )
            ],
        ),
        Entry(
            "set-neurons-at-last",
            [
                site(
                    "set blocks.2.mlp.post[position=-1, neuron=(1 4 9)] = 1.5",
                    "blocks.2.mlp.post",
                    at((everything, -1, [1, 4, 9]), 1.5),
                )
            ],
        ),
        Entry(
            "scale-range",
            [
                site(
                    "scale blocks.0.attn_out[position=3..7] by 0.25",
                    "blocks.0.attn_out",
                    times((everything, slice(3, 8)), 0.25),
                )
            ],
        ),
        Entry("scale-mlp-pre", [site("scale blocks.0.mlp.pre by 1.5", "blocks.0.mlp.pre", times((), 1.5))]),
        Entry("zero-mlp-out", [site("set blocks.1.mlp_out = zero", "blocks.1.mlp_out", at((), 0))]),
        Entry(
            "scale-query",
            [site("scale blocks.1.attn.q[head=0] by 2", "blocks.1.attn.q", times((*row, 0), 2))],
        ),
        Entry(
            "zero-key",
            [
                site(
                    f"set blocks.1.attn.k[{kv}=1, position=2] = zero",
                    "blocks.1.attn.k",
                    at((everything, 2, 1), 0),
                )
            ],
        ),
        Entry(
            "scale-value",
            [site(f"scale blocks.0.attn.v[{kv}=1] by -1", "blocks.0.attn.v", times((*row, 1), -1))],
        ),
        Entry(
            "set-pattern",
            [
                site(
                    "set blocks.1.attn.pattern[head=2, query=7, key=3] = 0.5",
                    "blocks.1.attn.pattern",
                    at((everything, 2, 7, 3), 0.5),
                )
            ],
        ),
        Entry(
            "scale-pattern",
            [
                site(
                    "scale blocks.1.attn.pattern[head=0] by 0.5",
                    "blocks.1.attn.pattern",
                    times((everything, 0), 0.5),
                )
            ],
        ),
        Entry("scale-norm", [site("scale blocks.2.ln1.normalized by 0.5", "blocks.2.ln1.normalized", times((), 0.5))]),
        Entry(
            "scale-final-norm",
            [
                site(
                    "scale ln_final.normalized[position=-1] by 3",
                    "ln_final.normalized",
                    times((everything, -1), 3),
                )
            ],
        ),
        Entry(
            "scale-embed",
            [site("scale embed[position=4] by 2", "embed", times((everything, 4), 2))],
        ),
        Entry("set-logits", [site("set logits[vocab=3] = -7", "logits", at((..., 3), -7))]),
        Entry(
            "patch-residual",
            [from_prompt("blocks.1.resid_post[position=4]", "blocks.1.resid_post", (everything, 4))],
        ),
        Entry("patch-residual-pre", [from_prompt("blocks.1.resid_pre", "blocks.1.resid_pre", ())]),
        Entry("patch-head", [from_prompt("blocks.0.attn.z[head=3]", "blocks.0.attn.z", (*row, 3))]),
        Entry("mean-head", [mean_of_head(1, 0)]),
        Entry("add-direction", [add_direction(2.5, 5, 9, 1)]),
        Entry(
            "add-vector",
            [
                add_vector(
                    -0.75,
                    vectors["vectors.model"],
                    (everything, 5),
                    "blocks.0.resid_post[position=5]",
                    "blocks.0.resid_post",
                )
            ],
        ),
    ]


def structure_entries(is_gpt2: bool) -> list[Entry]:
    relu = Edit("replace activation with relu", lambda scene: scene.activation(nn.ReLU()))
    epsilon = config_epsilon(is_gpt2)
    theta = Edit("config rope_theta = 30", lambda scene: scene.rope_theta(30.0))
    entries = [
        Entry("skip-layer", [order("skip layer 1", [0, 2])]),
        Entry("skip-first-layer", [order("skip layer 0", [1, 2])]),
        Entry("repeat-layer", [order("repeat layer 1", [0, 1, 1, 2])]),
        Entry("swap-layers", [order("swap layers 0 2", [2, 1, 0])]),
        Entry("replace-activation", [relu]),
        Entry("config-epsilon", [epsilon]),
    ]
    return entries if is_gpt2 else [*entries, Entry("config-rope-theta", [theta])]


def config_epsilon(is_gpt2: bool) -> Edit:
    field = "layer_norm_epsilon" if is_gpt2 else "rms_norm_eps"
    return Edit(f"config {field} = 0.25", lambda scene: scene.epsilon(0.25))


def weight_entries(names: Names, vectors: dict[str, Tensor]) -> list[Entry]:
    def low_rank(scene: Scene) -> None:
        scene.matrix(names.mlp_in).add_(0.5 * torch.outer(vectors["vectors.out"], vectors["vectors.in"]))

    def replace(scene: Scene) -> None:
        scene.model.get_parameter(names.mlp_in).data.copy_(vectors["replacement"])

    outer = 'outer(vector(edits.safetensors, "vectors.out"), vector(edits.safetensors, "vectors.in"))'
    entries = [
        Entry("weight-element-set", [weight(names.mlp_in, "[out=5, in=3]", "=", 3.5, (5, 3))]),
        Entry("weight-element-add", [weight(names.mlp_in, "[out=20, in=11]", "+=", -2.5, (20, 11))]),
        Entry("weight-scale", [weight(names.mlp_in, "", "*=", 0.5)]),
        Entry("weight-column", [weight(names.attention_out, "[in=9]", "*=", -3, (slice(None), 9))]),
        Entry("weight-row-zero", [weight(names.attention_out, "[out=7]", "=", 0, 7)]),
        Entry("weight-block", [weight(names.mlp_in, "[out=2..6, in=(0 8)]", "+=", 0.5, (slice(2, 7), [0, 8]))]),
        Entry("weight-embedding", [weight(names.embedding, "[token=9]", "*=", 2, 9)]),
        Entry("weight-norm", [weight(names.norm, "", "*=", 1.5)]),
        Entry("weight-low-rank", [Edit(f"weight {names.mlp_in} += 0.5 * {outer}", low_rank)]),
        Entry(
            "weight-replaced",
            [Edit(f'replace weight {names.mlp_in} from edits.safetensors "replacement"', replace)],
        ),
    ]
    if names.mlp_in_bias:
        entries.append(Entry("weight-bias", [weight(names.mlp_in_bias, "[out=12]", "+=", 2, 12)]))
    return entries


def composed_entries(names: Names, is_gpt2: bool) -> list[Entry]:
    everything = slice(None)
    head = (everything, everything, 1)
    set_head = site("set blocks.1.attn.z[head=1] = 0.5", "blocks.1.attn.z", at(head, 0.5))
    scale_head = site("scale blocks.1.attn.z[head=1] by -2", "blocks.1.attn.z", times(head, -2))
    set_row = weight(names.mlp_in, "[out=5]", "=", 0.25, 5)
    scale_row = weight(names.mlp_in, "[out=5]", "*=", -3, 5)
    neuron = times((everything, 6, 17), -4)
    return [
        Entry("set-then-scale", [set_head, scale_head]),
        Entry("scale-then-set", [scale_head, set_head]),
        Entry("weight-set-then-scale", [set_row, scale_row]),
        Entry("weight-scale-then-set", [scale_row, set_row]),
        Entry(
            "weight-head-skip",
            [weight(names.mlp_in, "", "*=", 1.5), drop_head(1, 3), order("skip layer 2", [0, 1])],
        ),
        Entry(
            "swap-then-scale",
            [
                order("swap layers 0 2", [2, 1, 0]),
                site("scale blocks.0.mlp_out by 0.5", "blocks.0.mlp_out", times((), 0.5)),
            ],
        ),
        Entry(
            "mean-under-weight-edit",
            [weight(names.mlp_in, "", "*=", -1), drop_head(0, 1), mean_of_head(2, 0)],
        ),
        Entry(
            "everything",
            [
                from_prompt("blocks.0.resid_post[position=2]", "blocks.0.resid_post", (everything, 2)),
                add_direction(-1.5, 17, 40, 1),
                site("scale blocks.1.mlp.post[position=6, neuron=17] by -4", "blocks.1.mlp.post", neuron),
                site(
                    "set blocks.2.attn.pattern[head=1, query=9, key=0] = 1",
                    "blocks.2.attn.pattern",
                    at((everything, 1, 9, 0), 1),
                ),
                config_epsilon(is_gpt2),
            ],
        ),
    ]


def generated_entries() -> list[Entry]:
    last = times((slice(None), -1, 5), 6)
    return [
        Entry("generate-head-dropped", [drop_head(1, 2)], GENERATED),
        Entry(
            "generate-from-step",
            [
                site(
                    "set blocks.0.attn.z[head=2] = zero from step 2",
                    "blocks.0.attn.z",
                    at((..., 2, slice(None)), 0),
                    lambda step: step >= 2,
                )
            ],
            GENERATED,
        ),
        Entry(
            "generate-at-step",
            [
                site(
                    "scale blocks.1.mlp.post[position=-1, neuron=5] by 6 at step 3",
                    "blocks.1.mlp.post",
                    last,
                    lambda step: step == 3,
                )
            ],
            GENERATED,
        ),
        Entry(
            "generate-in-steps",
            [
                site(
                    "set blocks.2.attn_out = zero in steps 1..4",
                    "blocks.2.attn_out",
                    at((), 0),
                    lambda step: 1 <= step <= 4,
                )
            ],
            GENERATED,
        ),
        Entry("generate-layer-skipped", [order("skip layer 1", [0, 2])], GENERATED),
    ]


def run(model: nn.Module, entry: Entry) -> tuple[list[int], Tensor]:
    """
    Logits of the prompt [position, vocab] after the edits; where tokens are generated, the new ids and the logits
    that each was chosen from [step, vocab].
    """
    scene = Scene(model)
    for edit in entry.edits:
        edit.act(scene)
    with changeable_patterns(scene):
        if not entry.generate:
            return [], scene.model(input_ids=torch.tensor([PROMPT]), use_cache=False).logits[0]
        ids, rows, past = list(PROMPT), [], DynamicCache()  # which grows as layers ask for it
        for scene.step in range(entry.generate):
            fed = ids if scene.step == 0 else ids[-1:]
            out = scene.model(input_ids=torch.tensor([fed]), past_key_values=past, use_cache=True)
            rows.append(out.logits[0, -1])
            ids.append(int(rows[-1].argmax()))
        return ids[len(PROMPT) :], torch.stack(rows)


def write_interventions(model: nn.Module, folder: Path) -> None:
    """Writes edits.json and edits.safetensors beside the model."""
    family = model.config.model_type
    names, is_gpt2 = NAMES[family], family == "gpt2"
    vectors = vectors_for(model, names)
    entries = [
        *site_entries(names, vectors),
        *structure_entries(is_gpt2),
        *weight_entries(names, vectors),
        *composed_entries(names, is_gpt2),
        *generated_entries(),
    ]
    tensors, rows = dict(vectors), []
    for entry in entries:
        _, clean = run(model, Entry(entry.name, [], entry.generate))
        ids, logits = run(model, entry)
        effect = float((logits - clean).abs().max())
        assert effect > LEAST_EFFECT, f"{family}: {entry.name} has no effect"
        assert not ids or narrowest_gap(logits) > LEAST_GAP, f"{family}: {entry.name} meets a near tie"
        tensors[f"{entry.name}.logits"] = logits.contiguous()
        row = {"name": entry.name, "edits": [e.text for e in entry.edits], "promptIds": PROMPT}
        row |= {"logits": f"{entry.name}.logits", "effect": effect}
        rows.append({**row, "generated": ids} if ids else row)
    assert len({row["name"] for row in rows}) == len(rows)
    save_file(tensors, folder / "edits.safetensors")
    text = json.dumps({"prompt": words(PROMPT), "otherPrompt": words(OTHER_PROMPT), "entries": rows}, indent=2)
    flat = re.sub(r"\[[\s\d,]*\]", lambda m: re.sub(r"\s+", " ", m[0]), text)
    (folder / "edits.json").write_text(flat + "\n")
