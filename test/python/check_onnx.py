"""
Checks an ONNX model with onnx's checker (full, with shape inference) and runs it on onnx's reference evaluator.

    python check_onnx.py MODEL.onnx INPUTS.json

INPUTS.json: {name: {"dtype": "float32" | "int64", "shape": [...], "data": [...]}}. Prints {output: [numbers]} as JSON
for the output named `logits`, and the domains of all operators.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

path, inputs = sys.argv[1:3]
model = onnx.load(path)
onnx.checker.check_model(model, full_check=True)
feeds = {
    name: np.array(value["data"], dtype=value["dtype"]).reshape(value["shape"])
    for name, value in json.loads(Path(inputs).read_text()).items()
}
[logits] = ReferenceEvaluator(model).run(["logits"], feeds)
domains = sorted({node.domain for node in model.graph.node})
print(json.dumps({"logits": logits.ravel().tolist(), "domains": domains, "nodes": len(model.graph.node)}))
