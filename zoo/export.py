"""Writes trained checkpoints as models in Hugging Face layout, weights as float16.

    python zoo/export.py world CHECKPOINT FOLDER
    python zoo/export.py judge CHECKPOINT FOLDER      (also FOLDER-sentiment: the same body under the other head)
"""

import sys
from pathlib import Path

import evaluate_judge
import evaluate_world
import torch
from english.tokens import BOS, EOS, PAD, write_tokenizer
from transformers import GenerationConfig, PreTrainedModel


def write(model: PreTrainedModel, folder: Path, *, decoder: bool) -> None:
    model.to(torch.float16).save_pretrained(folder, safe_serialization=True)
    write_tokenizer(folder, decoder=decoder)


def export_world(checkpoint: Path, folder: Path) -> None:
    model = evaluate_world.load(checkpoint)
    model.generation_config = GenerationConfig(
        bos_token_id=BOS, eos_token_id=EOS, pad_token_id=PAD, max_new_tokens=48, do_sample=False
    )
    write(model, folder, decoder=True)


def export_judge(checkpoint: Path, folder: Path) -> None:
    judge = evaluate_judge.load(checkpoint)
    write(judge.words, folder, decoder=False)
    write(judge.sentiment, folder.with_name(f"{folder.name}-sentiment"), decoder=False)


if __name__ == "__main__":
    name, source, target = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    {"world": export_world, "judge": export_judge}[name](source, target)
