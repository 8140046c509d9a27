"""
What transformers makes of places in a text: T5's classes of distances, and Marian's sines and cosines.

    python test/golden/positions/generate.py
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
import transformers
from transformers.models.marian.modeling_marian import MarianSinusoidalPositionalEmbedding
from transformers.models.t5.modeling_t5 import T5Attention

#: buckets, longest distance: T5's own, those of the tiny models, the fewest, and odd ones
FORMS = [(32, 128), (8, 12), (4, 3), (64, 1000), (33, 129)]
SPAN = 1100


def classes(buckets: int, longest: int, bidirectional: bool) -> list[list[int]]:
    """Where the class changes, as [distance, class], from -SPAN to SPAN."""
    distances = torch.arange(-SPAN, SPAN + 1)
    found = T5Attention._relative_position_bucket(distances, bidirectional, buckets, longest).tolist()
    pairs = list(zip(distances.tolist(), found, strict=True))
    return [list(pair) for i, pair in enumerate(pairs) if i == 0 or pair[1] != pairs[i - 1][1]]


def sinusoids(dim: int) -> list[list[float]]:
    """Rows of positions 0 to 6."""
    table = MarianSinusoidalPositionalEmbedding(7, dim)
    table._init_weight()
    return table.weight.tolist()


def main() -> None:
    distances = [
        {"buckets": b, "maxDistance": m, "bidirectional": both, "span": SPAN, "changes": classes(b, m, both)}
        for b, m in FORMS
        for both in (True, False)
    ]
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    data = {"versions": versions, "distances": distances, "sinusoids": {str(d): sinusoids(d) for d in (8, 7)}}
    Path(__file__).with_name("golden.json").write_text(json.dumps(data) + "\n")


if __name__ == "__main__":
    main()
