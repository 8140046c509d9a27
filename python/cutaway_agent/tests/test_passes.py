"""Passes that are run for their values: with changes for single sequences, scalars, and gradients; nothing is left behind."""
import os
import struct
import sys
import unittest

import torch
from torch import nn

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from debugger import Refused, reduce, site  # noqa: E402
from test_agent import Base, Block  # noqa: E402

SCORE = {"kind": "token", "by": "logprob", "token": 3}
AXES = ["batch", "position", "model"]


class Words(nn.Module):
    """Ids in, scores out; the stream is changed in place on its way, and dropout draws in training."""

    def __init__(self, width=8, vocab=11):
        super().__init__()
        self.embed = nn.Embedding(vocab, width)
        self.h = nn.ModuleList([Block(width) for _ in range(2)])
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(width, vocab)

    def forward(self, ids):
        x = self.embed(ids)
        x += 1
        for block in self.h:
            x = self.drop(block(x))
        return self.head(x)


def at(path, slot="out"):
    return {"path": path, "slot": slot}


def state(model):
    return {
        "weights": [p.detach().clone() for p in model.parameters()],
        "versions": [p._version for p in model.parameters()],
        "needs": [p.requires_grad for p in model.parameters()],
        "grad": [None if p.grad is None else p.grad.clone() for p in model.parameters()],
        "training": [m.training for m in model.modules()],
        "hooks": [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in model.modules()],
        "random": torch.get_rng_state(),
        "threads": torch.is_grad_enabled(),
    }


def same(a, b):
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    return a == b


class Passes(Base):
    def opened(self):
        model = Words().train()
        model.h[0].fc.weight.requires_grad_(False)
        model(torch.tensor([[1, 2]])).sum().backward()
        return model, self.attach(self.listen(model))

    def ask(self, debugger, ids, refs, payload=b"", **more):
        result, data = debugger.ask_bytes("capture", payload, ids=ids, refs=refs, logits=at(""), **more)
        values = {
            v["name"]: torch.tensor(struct.unpack("<%df" % (v["bytes"] // 4), data[v["offset"] : v["offset"] + v["bytes"]])).reshape(v["shape"])
            for v in result["values"]
        }
        return values, result["scalars"]

    def test_scalars_and_gradients_are_those_of_autograd_for_each_sequence(self):
        model, debugger = self.opened()
        ids = [[1, 2, 3], [4, 5, 6]]
        before = state(model)
        refs = {"embed": at("embed"), "resid": at("h.1", "in.0")}
        values, scalars = self.ask(debugger, ids, refs, of=[SCORE, SCORE], gradients=["embed", "resid"])
        self.assertTrue(all(same(before[k], v) for k, v in state(model).items()), "something was left changed")
        model.eval()
        embed = model.embed(torch.tensor(ids)).detach().requires_grad_()
        mid = model.h[0](embed + 1)
        wanted = model.head(model.h[1](mid))[:, -1].log_softmax(-1)[:, 3]
        by_embed, by_mid = torch.autograd.grad(wanted.sum(), [embed, mid])
        torch.testing.assert_close(torch.tensor(scalars), wanted.detach(), rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(values["grad(embed)"], by_embed, rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(values["grad(resid)"], by_mid, rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(values["embed"], embed.detach())

    def test_gradients_of_values_and_of_what_is_made_of_them(self):
        model, debugger = self.opened()
        tree = {"kind": "binary", "operator": "-", "left": reduce("norm", site("h.0", axes=AXES, position=-1)), "right": SCORE}
        values, scalars = self.ask(debugger, [[1, 2, 3]], {"embed": at("embed")}, of=[tree], gradients=["embed"])
        model.eval()
        embed = model.embed(torch.tensor([[1, 2, 3]])).detach().requires_grad_()
        mid = model.h[0](embed + 1)
        wanted = mid[0, -1].norm() - model.head(model.h[1](mid))[0, -1].log_softmax(-1)[3]
        (gradient,) = torch.autograd.grad(wanted, embed)
        self.assertAlmostEqual(scalars[0], float(wanted.detach()), places=5)
        torch.testing.assert_close(values["grad(embed)"], gradient, rtol=1e-4, atol=1e-6)

    def test_each_sequence_has_its_own_changes(self):
        model, debugger = self.opened()
        before = state(model)
        numbers = torch.arange(2.0)
        payload = struct.pack("<2f", *numbers.tolist())
        changes = [
            {**at("h.0"), "when": "after", "act": "zero", "row": 1, "axes": AXES, "where": {"position": [2]}},
            {**at("h.0"), "when": "after", "act": "data", "row": 2, "axes": AXES, "where": {"position": [1], "model": [3, 5]}, "data": {"offset": 0, "count": 2}},
            {**at("h.1", "in.0"), "when": "before", "act": "scale", "value": 2, "axes": AXES, "where": {"position": [0]}},
            {**at("h.1"), "when": "after", "act": "skip", "row": 3},
        ]
        values, _ = self.ask(debugger, [[1, 2, 3]] * 4, {"mid": at("h.1", "in.0"), "end": at("h.1")}, payload, changes=changes)
        self.assertTrue(all(same(before[k], v) for k, v in state(model).items()), "something was left changed")
        model.eval()
        mid = model.h[0](model.embed(torch.tensor([[1, 2, 3]] * 4)) + 1).detach()
        mid[1, 2] = 0
        mid[2, 1, [3, 5]] = numbers
        mid[:, 0] *= 2
        torch.testing.assert_close(values["mid"], mid)
        end = model.h[1](mid).detach()
        end[3] = mid[3]
        torch.testing.assert_close(values["end"], end)

    def test_what_cannot_be_done_is_told_and_leaves_nothing(self):
        model, debugger = self.opened()
        before = state(model)
        rank = {"kind": "token", "by": "rank", "token": 3}
        late = {**at("h.1", "out.7"), "when": "after", "act": "zero"}
        for more, code in (
            ({"of": [rank], "gradients": ["embed"]}, "GRADIENT_UNDEFINED"),
            ({"of": [{"kind": "word", "word": "loss"}]}, "EXPRESSION_INVALID"),
            ({"of": [{**SCORE, "token": 99}]}, "ID_OUT_OF_RANGE"),
            ({"changes": [late]}, "SITE_NOT_CAPTURED"),
            ({"changes": [{**late, "path": "nowhere"}]}, "SITE_UNKNOWN"),
        ):
            with self.assertRaises(Refused) as caught:
                self.ask(debugger, [[1, 2]], {"embed": at("embed")}, **more)
            self.assertEqual(caught.exception.code, code)
        self.assertTrue(all(same(before[k], v) for k, v in state(model).items()), "something was left changed")

    def test_a_process_that_stands_without_gradients_has_them_all_the_same(self):
        model, debugger = self.opened()
        wanted = model.eval()(torch.tensor([[1, 2, 3]])).detach()
        debugger.point(1, "before", ["h.1"])
        out = {}

        def run():
            with torch.inference_mode():
                out["logits"] = model.eval()(torch.tensor([[1, 2, 3]])).clone()

        done = self.run_model(run)
        debugger.event("stopped")
        values, _ = self.ask(debugger, [[1, 2, 3]], {"embed": at("embed")}, of=[SCORE], gradients=["embed"])
        self.assertGreater(float(values["grad(embed)"].abs().sum()), 0)
        debugger.go()
        done()
        self.assertTrue(torch.equal(out["logits"], wanted))


if __name__ == "__main__":
    unittest.main()
