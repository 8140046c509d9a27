"""Writes a trained checkpoint as a model in Hugging Face layout, weights as float16.

    python export.py CHECKPOINT FOLDER
"""

import sys
from pathlib import Path

import torch
from evaluate import load
from tokens import EOS_ID, PAD_ID, write_tokenizer
from transformers import GenerationConfig


def export(checkpoint: Path, folder: Path) -> None:
    model = load(checkpoint).to(torch.float16)
    model.generation_config = GenerationConfig(
        decoder_start_token_id=PAD_ID, pad_token_id=PAD_ID, eos_token_id=EOS_ID, max_new_tokens=48
    )
    model.save_pretrained(folder, safe_serialization=True)
    write_tokenizer(folder)


if __name__ == "__main__":
    export(Path(sys.argv[1]), Path(sys.argv[2]))
