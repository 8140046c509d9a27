"""A training loop of a small network for the tests, with the agent beside it: `python train.py [--steps N] [--nan-at N]`

It prints loss and gradient norm of each step, as a program without an agent would compute them.
"""
import argparse
import sys

import torch
from torch import nn

import cutaway_agent
from hooks import hooks_of

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=1000)
parser.add_argument("--nan-at", type=int, default=-1)
parser.add_argument("--recording")
parser.add_argument("--no-agent", action="store_true")
parser.add_argument("--hooks", action="store_true", help="print in the end which hooks are left")
given = parser.parse_args()


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(8, 16)
        self.fc2 = nn.Linear(16, 8)
        self.poison = False

    def forward(self, x):
        h = torch.relu(self.fc1(x))
        if self.poison:
            h = h - h.max() * float("inf")
        return x + self.fc2(h)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([Block() for _ in range(3)])
        self.head = nn.Linear(8, 1)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return {"score": self.head(x)}


torch.set_num_threads(1)
torch.manual_seed(0)
model = Net()
own_backward = torch.Tensor.backward
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
agent = None
if given.recording:
    agent = cutaway_agent.record_when(model, given.recording, loss_spike=50.0)
    print("listening 0", flush=True)
elif not given.no_agent:
    agent = cutaway_agent.listen(model, token="secret", optimizer=optimizer, quiet=True)
    print("listening %d" % agent.address[1], flush=True)
    agent.wait(60)
data = torch.Generator().manual_seed(1)
for step in range(given.steps):
    model.blocks[1].poison = step == given.nan_at
    x = torch.randn(16, 8, generator=data)
    loss = ((model(x)["score"] - x.sum(1, keepdim=True)) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    norms = [float(torch.sqrt(sum((p.grad.double() ** 2).sum() for p in b.parameters()))) for b in model.blocks]
    print("step %d %.9g %s" % (step, float(loss), " ".join("%.9g" % n for n in norms)), flush=True)
    optimizer.step()
print("weights %s" % ",".join(p.detach().numpy().tobytes().hex() for p in list(model.parameters())[:2]), flush=True)
if given.hooks:
    left = hooks_of(model, optimizer) + ([] if torch.Tensor.backward is own_backward else ["Tensor.backward"])
    print("hooks %s" % (", ".join(left) or "none"), flush=True)
sys.exit(0)
