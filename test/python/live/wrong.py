"""A tiny model of transformers in a process that waits to be asked, with a mistake made in its modules.

    python wrong.py FOLDER none|swap|norm|scale
"""
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../python/cutaway_agent"))

import torch  # noqa: E402
import transformers  # noqa: E402

import cutaway_agent  # noqa: E402

transformers.logging.set_verbosity_error()
folder, mistake = sys.argv[1:]
torch.set_num_threads(1)
model = transformers.LlamaForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
layer = model.model.layers[1]
if mistake == "swap":
    layer.mlp.gate_proj, layer.mlp.up_proj = layer.mlp.up_proj, layer.mlp.gate_proj
if mistake == "norm":
    for each in model.model.layers:
        each.input_layernorm.variance_epsilon = each.post_attention_layernorm.variance_epsilon = 1e-3
    model.model.norm.variance_epsilon = 1e-3
if mistake == "scale":
    for each in model.model.layers:
        each.self_attn.scaling *= each.self_attn.scaling
agent = cutaway_agent.listen(model, token="secret", quiet=True)
print("listening %d" % agent.address[1], flush=True)
threading.Thread(target=agent.serve_forever, daemon=True).start()
sys.stdin.read()
