"""Several tiny models of transformers in one process, an agent beside each: `python serve_many.py FOLDER ...`"""
import os
import sys

import torch
import transformers

import cutaway_agent

transformers.logging.set_verbosity_error()
torch.set_num_threads(1)


def opened(folder):
    config = transformers.AutoConfig.from_pretrained(folder)
    kind = getattr(transformers, config.architectures[0])
    return kind.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()


def tokenizer_of(folder):
    file = os.path.join(folder, "tokenizer.json")
    return transformers.PreTrainedTokenizerFast(tokenizer_file=file) if os.path.exists(file) else None


agents = [
    cutaway_agent.listen(opened(folder), token="secret", quiet=True, tokenizer=tokenizer_of(folder)) for folder in sys.argv[1:]
]
print("listening %s" % " ".join(str(agent.address[1]) for agent in agents), flush=True)
sys.stdin.read()
