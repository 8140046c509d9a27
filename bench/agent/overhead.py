"""What the agent costs a forward pass of 24 small modules: `python bench/agent/overhead.py [--nnsight]`

Each way in turn, round after round; medians. Bare hooks: one pre-hook and one hook on each module that keep what it
gave, as a program would write them. nnsight (its own environment: pip install nnsight) saves the same outputs.
"""
import argparse
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../python/cutaway_agent"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../python/cutaway_agent/tests"))

import torch  # noqa: E402
from torch import nn  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("--nnsight", action="store_true")
parser.add_argument("--rounds", type=int, default=15)
parser.add_argument("--passes", type=int, default=200)
given = parser.parse_args()


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.up = nn.Linear(width, width)
        self.act = nn.GELU()
        self.down = nn.Linear(width, width)

    def forward(self, x):
        return x + self.down(self.act(self.up(x)))


class Net(nn.Module):
    """24 modules that are called, the root among them."""

    def __init__(self, width=64):
        super().__init__()
        self.h = nn.ModuleList([Block(width) for _ in range(5)])
        self.ln = nn.LayerNorm(width)
        self.head = nn.Linear(width, 100)
        self.end = nn.Identity()

    def forward(self, x):
        for block in self.h:
            x = block(x)
        return self.end(self.head(self.ln(x)))


torch.set_num_threads(1)
torch.manual_seed(0)
x = torch.randn(1, 16, 64)


def microseconds(run):
    start = time.perf_counter()
    for _ in range(given.passes):
        run()
    return (time.perf_counter() - start) / given.passes * 1e6


def with_agent(ask):
    """A model with the agent and a debugger that asks something."""
    import cutaway_agent
    from debugger import Debugger

    model = Net()
    agent = cutaway_agent.listen(model, quiet=True)
    if ask is not None:
        debugger = Debugger(agent)
        ask(debugger)
        agent.bench = debugger
    return model


def bare_hooks():
    model = Net()
    kept = {}
    for name, module in model.named_modules():
        module.register_forward_pre_hook(lambda m, a, name=name: kept.__setitem__(name + ".in", a))
        module.register_forward_hook(lambda m, a, o, name=name: kept.__setitem__(name, o))
    return model


point = {"id": 1, "when": "after", "paths": ["h.3.up"], "condition": {"kind": "binary", "operator": ">", "left": {"kind": "reduce", "by": "norm", "of": {"kind": "site", "ref": {"path": "h.3.up", "slot": "out"}, "axes": []}}, "right": {"kind": "number", "value": 1e9}}}
everywhere = {"id": 1, "when": "after", "paths": [n for n, m in Net().named_modules() if not isinstance(m, nn.ModuleList)], "condition": point["condition"]}
if given.nnsight:
    import nnsight

    plain = Net()
    wrapped = nnsight.NNsight(Net())

    def traced():
        kept = []
        with wrapped.trace(x):
            for block in wrapped.h:
                kept.append(block.output.save())
        return kept

    ways = {"no hooks": lambda: plain(x), "nnsight, a trace that saves the outputs of 5 blocks": traced}
else:
    models = {
        "no hooks": Net(),
        "the agent, nobody attached": with_agent(None),
        "attached, nothing asked for": with_agent(lambda d: d.ask("met")),
        "bare hooks on all modules that keep what they give": bare_hooks(),
        "attached, a condition on one module that never holds": with_agent(lambda d: d.ask("points", set=[point])),
        "attached, a condition on every module that never holds": with_agent(lambda d: d.ask("points", set=[everywhere])),
        "attached, NaN caught in every module": with_agent(lambda d: d.ask("points", caught=[{"kind": "nan"}])),
    }
    ways = {name: (lambda m=m: m(x)) for name, m in models.items()}

times = {name: [] for name in ways}
with torch.no_grad():
    for run in ways.values():
        run()
    for _ in range(given.rounds):
        for name, run in ways.items():
            times[name].append(microseconds(run))
base = statistics.median(times["no hooks"])
modules = sum(1 for m in Net().modules() if not isinstance(m, nn.ModuleList))
print("torch %s, %d modules, medians of %d" % (torch.__version__, modules, given.rounds))
for name, values in times.items():
    print("| %-56s | %6.0f µs | %5.2f |" % (name, statistics.median(values), statistics.median(values) / base))
