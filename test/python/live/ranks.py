"""One rank of a program under torchrun: a matrix that is cut over the ranks, whose parts' results are added by gloo.

Rank 0 prints `listening PORT` once all listen; each rank prints what it made, `rank R pass N SUM`,
and in the end which hooks are left.
"""
import os
import sys
import threading

import torch
import torch.distributed as dist
from torch import nn

import cutaway_agent
from hooks import hooks_of

torch.set_num_threads(1)
dist.init_process_group("gloo")
rank, world = dist.get_rank(), dist.get_world_size()


class Parallel(nn.Module):
    """y = W2 relu(W1 x), W1 cut by rows and W2 by columns (Shoeybi et al. 2019)."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        whole1, whole2 = torch.randn(8, 6), torch.randn(6, 8)
        own = 8 // world
        self.up = nn.Linear(6, own, bias=False)
        self.down = nn.Linear(own, 6, bias=False)
        self.up.weight = nn.Parameter(whole1[rank * own : (rank + 1) * own].clone())
        self.down.weight = nn.Parameter(whole2[:, rank * own : (rank + 1) * own].clone())
        self.up.weight.partition_dim = 0
        self.down.weight.partition_dim = 1

    def forward(self, x):
        y = self.down(torch.relu(self.up(x)))
        dist.all_reduce(y)
        return y


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.h = nn.ModuleList([Parallel() for _ in range(2)])

    def forward(self, x):
        for block in self.h:
            x = x + 0.1 * block(x)
        return x


model = Net()
agent = cutaway_agent.listen(model, port=int(os.environ["TEST_PORT"]), token="secret", quiet=True)
dist.barrier()
if rank == 0:
    print("listening %d" % (agent.address[1]), flush=True)
ended = threading.Event()
if os.environ.get("TEST_STDIN"):
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
agent.wait(60)
for step in range(int(os.environ.get("TEST_PASSES", "100000"))):
    x = torch.ones(2, 6) * (step % 7 + 1)
    with torch.no_grad():
        y = model(x)
    if rank == 0 or step < 50:
        os.write(1, ("rank %d pass %d %s\n" % (rank, step, float(y.sum()).hex())).encode())  # whole, beside the other's
os.write(1, ("rank %d hooks %s\n" % (rank, ", ".join(hooks_of(model)) or "none")).encode())
dist.destroy_process_group()
