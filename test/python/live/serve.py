"""A process for the tests: a tiny model of transformers, the agent beside it, and something that runs.

    python serve.py FOLDER MODE [--attention eager] [--port N] [--wait]

MODE: idle, until standard input ends; generate, three tokens again and again; once, one generation.
"""
import argparse
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../python/cutaway_agent"))

import torch  # noqa: E402
import transformers  # noqa: E402

import cutaway_agent  # noqa: E402

transformers.logging.set_verbosity_error()
parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("mode")
parser.add_argument("--attention", default="eager")
parser.add_argument("--port", type=int, default=0)
parser.add_argument("--tokens", type=int, default=3)
parser.add_argument("--prompt", help="in place of four ids")
given = parser.parse_args()

torch.set_num_threads(1)
config = transformers.AutoConfig.from_pretrained(given.folder)
kind = getattr(transformers, config.architectures[0])
model = kind.from_pretrained(given.folder, attn_implementation=given.attention, dtype=torch.float32).eval()
tokenizer = None
if os.path.exists(os.path.join(given.folder, "tokenizer.json")):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(os.path.join(given.folder, "tokenizer.json"))
agent = cutaway_agent.listen(model, port=given.port, token="secret", tokenizer=tokenizer, quiet=True)
print("listening %d" % agent.address[1], flush=True)

ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()


def generate():
    ids = torch.tensor([[5, 42, 9, 31] if given.prompt is None else tokenizer.encode(given.prompt).ids])
    with torch.no_grad():
        out = model.generate(ids, max_new_tokens=given.tokens, min_new_tokens=given.tokens, do_sample=False, pad_token_id=0)
    return out[0].tolist()


if given.mode == "idle":
    threading.Thread(target=agent.serve_forever, daemon=True).start()
    ended.wait()
else:
    agent.wait(60)
    while not ended.is_set():
        print("made %s" % ",".join(map(str, generate())), flush=True)
        if given.mode == "once":
            break
