"""What numpy computes of some tensors and rows of scores: golden.json. Made with numpy 2.4.6, seed 20.

    python test/golden/expressions/generate.py
"""

import json
from pathlib import Path

import numpy as np

rng = np.random.default_rng(20)
shape = (2, 3, 5)


def special(values, at):
    changed = values.copy()
    for place, value in at.items():
        changed.flat[place] = value
    return changed


plain = rng.standard_normal(shape).astype(np.float32)
tensors = {
    "plain": plain,
    "large": (plain * 1e30).astype(np.float32),
    "small": (plain * 1e-30).astype(np.float32),
    "offset": (plain + 1e4).astype(np.float32),
    "masked": special(plain, {3: np.finfo(np.float32).min, 7: np.finfo(np.float32).min}),
    "broken": special(plain, {2: np.nan, 11: np.nan}),
    "infinite": special(plain, {4: np.inf}),
    "constant": np.full(shape, 0.1, np.float32),
}
reductions = {
    "norm": lambda x: np.sqrt(np.sum(x * x)),
    "mean": np.mean,
    "sum": np.sum,
    "max": np.max,
    "min": np.min,
    "absmax": lambda x: np.max(np.abs(x)),
    "std": np.std,
    "nan": lambda x: np.count_nonzero(np.isnan(x)),
}
parts = {
    "": np.s_[:, :, :],
    "[position=1]": np.s_[:, 1:2, :],
    "[position=-1, model=1..3]": np.s_[:, 2:3, 1:4],
    "[batch=1, model=(0 4)]": np.s_[1:2, :, [0, 4]],
}


def numbers(values):
    return [str(x) if not np.isfinite(x) else x for x in np.asarray(values, np.float64).ravel().tolist()]


def rows():
    for name, tensor in tensors.items():
        for part, index in parts.items():
            chosen = tensor[index].astype(np.float64)
            for by, of in reductions.items():
                yield {"text": f"{by}({name}{part})", "value": numbers(of(chosen))[0]}


def scores():
    for spread in (0.1, 3, 200):
        logits = (rng.standard_normal(40) * spread).astype(np.float32)
        wide = logits.astype(np.float64)
        logp = wide - wide.max() - np.log(np.exp(wide - wide.max()).sum())
        p = np.exp(logp)
        yield {
            "logits": numbers(logits),
            "logprob": numbers(logp),
            "prob": numbers(p),
            "rank": [int((wide > x).sum()) + 1 for x in wide],
            "entropy": float(-(p * np.where(p > 0, logp, 0)).sum()),
        }


with np.errstate(all="ignore"):
    other = tensors["offset"].astype(np.float64).ravel()
    first = plain.astype(np.float64).ravel()
    golden = {
        "numpy": np.__version__,
        "shape": shape,
        "tensors": {name: numbers(x) for name, x in tensors.items()},
        "reductions": list(rows()),
        "cosine": float(first @ other / np.linalg.norm(first) / np.linalg.norm(other)),
        "scores": list(scores()),
    }
(Path(__file__).parent / "golden.json").write_text(json.dumps(golden) + "\n")
