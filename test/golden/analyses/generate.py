"""Numbers of numpy for the analyses that the page shows: attention rollout, values' weights, singular values.

    python test/golden/analyses/generate.py     # numpy 2.x; writes analyses.json beside this file

Everything is drawn from numpy.random.default_rng(seed), rounded to float32, and computed in float64. Singular values
are LAPACK's (numpy.linalg.svd).
"""

import json
from pathlib import Path

import numpy as np

SEED = 20261126


def patterns(rng, layers, heads, tokens):
    scores = rng.normal(size=(layers, heads, tokens, tokens)) * 2
    scores = np.where(np.tril(np.ones((tokens, tokens))) > 0, scores, -np.inf)
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    return (shares / shares.sum(-1, keepdims=True)).astype(np.float32)


def rollout(attention):
    through = np.eye(attention.shape[-1])
    for layer in attention.astype(np.float64):
        through = (0.5 * layer.mean(0) + 0.5 * np.eye(layer.shape[-1])) @ through
    return through


def hidden(pattern, tokens):
    shown = pattern.astype(np.float64).copy()
    shown[:, tokens, :] = 0
    shown[:, :, tokens] = 0
    sums = shown.sum(-1, keepdims=True)
    return shown, np.divide(shown, sums, out=np.zeros_like(shown), where=sums > 0)


def matrices(rng):
    low = rng.normal(size=(12, 3)) @ rng.normal(size=(3, 20))
    decay = np.linalg.qr(rng.normal(size=(30, 30)))[0] * 0.7 ** np.arange(30)
    return {
        "wide": rng.normal(size=(7, 23)),
        "tall": rng.normal(size=(40, 9)),
        "low rank": low,
        "decaying": decay,
        "zero": np.zeros((4, 6)),
        "one row": rng.normal(size=(1, 5)),
        "equal values": np.linalg.qr(rng.normal(size=(8, 8)))[0] * 3,
    }


def main():
    rng = np.random.default_rng(SEED)
    attention = patterns(rng, 4, 4, 6)
    values = rng.normal(size=(6, 2, 3)).astype(np.float32)  # [key, kvHead, headDim]: two heads share one
    norms = np.linalg.norm(values.astype(np.float64), axis=-1).T.repeat(2, axis=0)  # [head, key]
    without, renormalised = hidden(attention[1], [0, 4])
    spectra = {
        name: {
            "shape": list(m.shape),
            "data": m.astype(np.float32).ravel().tolist(),
            "values": np.linalg.svd(m.astype(np.float32).astype(np.float64), compute_uv=False).tolist(),
        }
        for name, m in matrices(rng).items()
    }
    golden = {
        "numpy": np.__version__,
        "seed": SEED,
        "attention": {"shape": list(attention.shape), "data": attention.ravel().tolist()},
        "rollout": rollout(attention).ravel().tolist(),
        "values": values.ravel().tolist(),
        "weighted": (attention[1].astype(np.float64) * norms[:, None, :]).ravel().tolist(),
        "hidden": {"tokens": [0, 4], "plain": without.ravel().tolist(), "renormalised": renormalised.ravel().tolist()},
        "mean": attention[1].astype(np.float64)[[0, 3]].mean(0).ravel().tolist(),
        "spectra": spectra,
    }
    path = Path(__file__).with_name("analyses.json")
    path.write_text(json.dumps(golden) + "\n")


main()
