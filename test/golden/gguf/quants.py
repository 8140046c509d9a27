"""Blocks of every quantisation that Cutaway reads, and what the `gguf` package makes of them: quants.json.

    python3 test/golden/gguf/quants.py

Versions: gguf 0.19.0, numpy (float32 arithmetic only: any version). Seed 20260101.
Blocks are random bytes, whose scales are then set: random float16 numbers, and extreme ones (the largest, the smallest
normal and subnormal, both zeros, infinity). `values` are the float32 bits in little-endian hexadecimal.
"""

import json
from pathlib import Path

import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType as T
from gguf.quants import dequantize

SEED = 20260101
EXTREME = [65504, -65504, 6.1035156e-05, 5.9604645e-08, -5.9604645e-08, 0.0, -0.0, np.inf]
# Where the float16 scales of a block are, in bytes.
SCALES = {
    T.F16: [], T.BF16: [], T.F32: [],
    T.Q8_0: [0], T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2],
    T.Q2_K: [80, 82], T.Q3_K: [108], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208],
}


def blocks_of(kind: T, random: np.random.Generator) -> np.ndarray:
    numbers, size = GGML_QUANT_SIZES[kind]
    count = 64 if numbers == 1 else 3 + len(EXTREME)
    blocks = random.integers(0, 256, (count, size), dtype=np.uint8)
    for place, at in enumerate(SCALES[kind]):
        normal = random.standard_normal(count).astype(np.float16)
        normal[3:] = np.roll(np.array(EXTREME, np.float16), place)
        blocks[:, at : at + 2] = normal.view(np.uint8).reshape(count, 2)
    return blocks


def main() -> None:
    random = np.random.default_rng(SEED)
    cases = {}
    for kind in SCALES:
        blocks = blocks_of(kind, random)
        with np.errstate(invalid="ignore", over="ignore"):
            plain = {T.F32: np.float32, T.F16: np.float16}.get(kind)
            data = blocks.view(plain) if plain else blocks
            values = np.asarray(dequantize(data, kind), np.float32).reshape(-1)
        cases[kind.name] = {"blocks": blocks.tobytes().hex(), "values": values.tobytes().hex()}
    out = Path(__file__).parent / "quants.json"
    out.write_text(json.dumps({"gguf": "0.19.0", "seed": SEED, "types": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
