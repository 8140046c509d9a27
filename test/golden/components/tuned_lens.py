"""A tuned lens for a tiny model, with random translators, and what PyTorch reads through it: tuned/.

Made with torch 2.13.0, transformers 4.57.3, safetensors; seed 7. The layout is the tuned-lens package's
(tuned_lens/nn/lenses.py): translator i is applied to hidden_states[i], h + W h + b, before norm and unembedding.

    python test/golden/components/tuned_lens.py
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

here = Path(__file__).parent
out = here / "tuned"
IDS = [5, 42, 9, 31, 17, 42]

torch.manual_seed(7)
model = AutoModelForCausalLM.from_pretrained(here.parent / "models" / "gpt2-default", torch_dtype=torch.float32)
width, layers = model.config.n_embd, model.config.n_layer
state = {}
for i in range(layers):
    state[f"{i}.weight"] = 0.3 * torch.randn(width, width)
    state[f"{i}.bias"] = 0.3 * torch.randn(width)
out.mkdir(exist_ok=True)
save_file(state, out / "params.safetensors")
config = {
    "base_model_name_or_path": "gpt2-default",
    "d_model": width,
    "num_hidden_layers": layers,
    "bias": True,
    "base_model_revision": None,
    "unembed_hash": None,
    "lens_type": "linear_tuned_lens",
}
(out / "config.json").write_text(json.dumps(config) + "\n")
with torch.no_grad():
    made = model(torch.tensor([IDS]), output_hidden_states=True)
    final = made.logits[0].log_softmax(-1)
    rows = []
    for i in range(layers):
        h = made.hidden_states[i][0]
        logits = model.lm_head(model.transformer.ln_f(h + h @ state[f"{i}.weight"].T + state[f"{i}.bias"]))
        said = logits.log_softmax(-1)
        kl = (final.exp() * (final - said)).sum(-1)
        rows.append({"logit": logits[:, 3].tolist(), "best": logits.argmax(-1).tolist(), "kl": kl.tolist()})
(out / "golden.json").write_text(json.dumps({"ids": IDS, "word": 3, "rows": rows}) + "\n")
