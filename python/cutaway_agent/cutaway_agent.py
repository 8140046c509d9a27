"""Makes a running PyTorch process a target of the Cutaway debugger. This file alone is all of it: it can be copied.

    import cutaway_agent
    cutaway_agent.listen(model)                  # prints the port and the token
    $ cutaway attach 127.0.0.1:PORT --token TOKEN

Nothing of the model is changed until a debugger is there, and nothing stays changed when it goes. What crosses the
socket is JSON and raw bytes: no pickle, and no code that is run. The socket is this machine's alone unless another
host is named, and a debugger must know the token. Needs PyTorch 1.13 or later, and nothing else.

Values are named as the model has them: a module by its path (`h.0.mlp`; the whole model is the empty path), what it
took by `in.0`, `in.1`, `kw.NAME`, what it gave by `out`, `out.0`, `out.logits`. Frames on the wire: u32 header length,
u32 payload length (both little-endian), the header as JSON in UTF-8, the payload as raw little-endian numbers.
"""
from __future__ import annotations

import atexit
import collections
import contextlib
import copy
import dataclasses
import fnmatch
import hmac
import importlib
import json
import math
import os
import queue
import runpy
import socket
import struct
import sys
import threading
import time
import traceback
import weakref
import zipfile
import zlib
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple, Union

import torch
from torch import Tensor, nn

__all__ = ["Agent", "Problem", "connect", "listen", "record_when"]
__version__ = "0.1.0"

PROTOCOL = 1
"""The version of the protocol; a debugger of another one is refused."""

Json = Dict[str, Any]
Slots = Dict[str, Tensor]

_HEADER_LIMIT = 1 << 24
_PAYLOAD_LIMIT = 1 << 28
_READ_LIMIT = 1 << 24
_KEPT_BYTES = 512 << 20
_LOGS_A_SECOND = 200
_MASKED = 3.3e38  # what masked scores are filled with is no overflow
_FLOAT16_MAX = 65504.0

_TORCH: Tuple[int, ...] = tuple(int(p) for p in torch.__version__.split("+")[0].split(".")[:2] if p.isdigit())
_HAS_KWARGS = _TORCH >= (2, 0)
_current_graph_task = getattr(torch._C, "_current_graph_task_id", None)


class Problem(Exception):
    """Something that was asked and cannot be done. `code` is one of Cutaway's error codes."""

    def __init__(self, message: str, code: str = "COMMAND_INVALID", hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint


# ---------------------------------------------------------------------------------------------------------------
# Values: what modules take and give, with a name for each tensor
# ---------------------------------------------------------------------------------------------------------------


def _is_mapping(x: Any) -> bool:
    return hasattr(x, "items") and hasattr(x, "keys") and hasattr(x, "__getitem__")


def _is_cache(x: Any) -> bool:
    return type(x).__name__.endswith("Cache") and hasattr(x, "__dict__")


def flatten(x: Any, name: str, into: Optional[Slots] = None, depth: int = 0) -> Slots:
    """Every tensor in arguments or outputs, by name: `out.logits`, `in.0`, `kw.past.layers.0.keys`."""
    out: Slots = {} if into is None else into
    if isinstance(x, Tensor):
        out[name] = x
    elif type(x) is tuple and len(x) == 1 and isinstance(x[0], Tensor):
        out[name + ".0"] = x[0]
    elif depth > 8:
        return out
    elif isinstance(x, (list, tuple)):
        for i, v in enumerate(x):
            flatten(v, "%s.%d" % (name, i), out, depth + 1)
    elif _is_mapping(x):
        for k in list(x.keys()):
            flatten(x[k], "%s.%s" % (name, k), out, depth + 1)
    elif dataclasses.is_dataclass(x) and not isinstance(x, type):
        for field in dataclasses.fields(x):
            flatten(getattr(x, field.name, None), "%s.%s" % (name, field.name), out, depth + 1)
    elif _is_cache(x) or type(x).__name__.endswith("Layer") and hasattr(x, "keys") and not callable(x.keys):
        for k, v in vars(x).items():
            flatten(v, "%s.%s" % (name, k), out, depth + 1)
    return out


def replaced(x: Any, name: str, new: Slots) -> Any:
    """The same structure with other tensors in it. What the user made is not changed: containers are copied."""
    if name in new:
        return new[name]
    if not any(k.startswith(name + ".") for k in new):
        return x
    if isinstance(x, tuple):
        parts = [replaced(v, "%s.%d" % (name, i), new) for i, v in enumerate(x)]
        return type(x)(*parts) if hasattr(x, "_fields") else tuple(parts)
    if isinstance(x, list):
        return [replaced(v, "%s.%d" % (name, i), new) for i, v in enumerate(x)]
    if _is_mapping(x):
        made = copy.copy(x)
        for k in list(x.keys()):
            v = replaced(x[k], "%s.%s" % (name, k), new)
            if v is not x[k]:
                made[k] = v
        return made
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        made = copy.copy(x)
        for field in dataclasses.fields(x):
            old = getattr(x, field.name, None)
            v = replaced(old, "%s.%s" % (name, field.name), new)
            if v is not old:
                setattr(made, field.name, v)
        return made
    raise Problem(
        "%s is inside a %s, which is changed in place by the model" % (name, type(x).__name__),
        hint="Change what the modules give instead.",
    )


def _version(t: Tensor) -> int:
    """How often a tensor was changed in place; -1 where that is not counted."""
    return -1 if t.is_inference() else t._version


def _dtype(t: Tensor) -> str:
    return str(t.dtype)[6:]


def _local(t: Tensor) -> Tensor:
    """The part of a distributed tensor that is here; another tensor as it is."""
    to_local = getattr(t, "to_local", None)
    return to_local() if callable(to_local) else t


def _shard(t: Tensor) -> Optional[Json]:
    """Along which axis a tensor is cut over processes, where that can be known: DTensor, or Megatron's attributes."""
    placements = getattr(t, "placements", None)
    if placements is not None:
        dims = [p.dim for p in placements if hasattr(p, "dim") and p.is_shard()]
        return {"dim": int(dims[0]), "whole": list(t.shape)} if dims else None
    dim = getattr(t, "partition_dim", None)
    if isinstance(dim, int) and dim >= 0 and getattr(t, "tensor_model_parallel", True):
        return {"dim": dim}
    return None


def meta(t: Tensor) -> Json:
    """What a tensor is, without its numbers."""
    shard = _shard(t)
    local = _local(t)
    return {
        "shape": list(local.shape),
        "dtype": _dtype(local),
        "device": str(local.device),
        "requiresGrad": bool(t.requires_grad),
        "version": _version(local),
        **({"shard": shard} if shard else {}),
    }


def _plain(t: Tensor) -> Tensor:
    """A tensor of numbers that can be computed with where it is: dense, floating, wide enough."""
    t = _local(t).detach()
    if t.layout != torch.strided:
        t = t.to_dense()
    if getattr(t, "is_quantized", False):
        t = t.dequantize()
    if t.device.type == "meta":
        raise Problem("this tensor has no numbers: it is on the meta device", "SITE_NOT_CAPTURED", "Load the weights.")
    if t.is_complex():
        t = torch.view_as_real(t)
    return t if t.dtype in (torch.float32, torch.float64) else t.float()


def statistics(t: Tensor) -> Json:
    """Least, greatest, mean, deviation (divisor n) and norm of the finite numbers; counts of the others."""
    f = _plain(t)
    if f.numel() == 0:
        return {"shape": list(f.shape), "count": 0, "nan": 0, "inf": 0, "zero": 0}
    finite = torch.isfinite(f)
    nan, inf = torch.isnan(f).sum(), torch.isinf(f).sum()
    counts = torch.stack([finite.sum(), nan, inf, (f == 0).sum(), (f > 0).sum()]).cpu().tolist()
    out: Json = {"shape": list(f.shape), "count": f.numel()}
    out.update(zip(("finite", "nan", "inf", "zero", "positive"), counts))
    ok = f if counts[0] == f.numel() else f[finite]
    if ok.numel():
        wide = _wide(ok)
        mean = wide.mean()
        r = torch.stack([wide.min(), wide.max(), mean, ((wide - mean) ** 2).mean().sqrt(), wide.abs().max(), wide.norm()])
        out.update(zip(("min", "max", "mean", "std", "absmax", "norm"), r.cpu().tolist()))
    return out


def _wide(t: Tensor) -> Tensor:
    """In float64 where the device has it."""
    return t if t.device.type == "mps" else t.double()


def children(t: Tensor, at: Sequence[int], start: int, stop: int) -> List[Json]:
    """What is along the axis behind the fixed indices: statistics of each part, or the numbers themselves."""
    f = _plain(t)
    if len(at) >= f.dim() or any(not 0 <= i < f.shape[a] for a, i in enumerate(at)):
        raise Problem("there is no such part of the value", "SELECTOR_INVALID", "It has shape %s." % list(f.shape))
    part = f[tuple(at)][start:stop]
    if part.dim() == 1:
        return [{"number": _number(x)} for x in part.double().cpu().tolist()]
    return [statistics(row) for row in part]


def histogram(t: Tensor, bins: int, low: Optional[float], high: Optional[float]) -> Json:
    """How many finite numbers are in each of equal bins; those outside are counted apart."""
    f = _plain(t)
    ok = f[torch.isfinite(f)]
    if not ok.numel():
        return {"counts": [0] * bins, "low": 0.0, "high": 0.0, "below": 0, "above": 0}
    a = float(ok.min()) if low is None else low
    b = float(ok.max()) if high is None else high
    inside = ok[(ok >= a) & (ok <= b)]
    counts = torch.histc(inside.float().cpu(), bins, a, b if b > a else a + 1.0).tolist()
    return {
        "counts": [int(c) for c in counts],
        **{"low": a, "high": b, "below": int((ok < a).sum()), "above": int((ok > b).sum())},
    }


def top_k(t: Tensor, k: int, by: str) -> Json:
    """The greatest numbers, the least, or those farthest from 0, with their indices along each axis."""
    f = _plain(t)
    flat = f.reshape(-1)
    key = {"greatest": flat, "least": -flat, "farthest": flat.abs()}.get(by)
    if key is None:
        raise Problem("there is no order %s" % by, hint="greatest, least, or farthest.")
    _, index = torch.topk(torch.nan_to_num(key, nan=-math.inf), min(k, flat.numel()))
    values = flat[index].double().cpu().tolist()
    places = []
    for i in index.cpu().tolist():
        place = []
        for extent in reversed(f.shape):
            place.append(i % extent)
            i //= extent
        places.append(place[::-1])
    return {"values": [_number(v) for v in values], "indices": places}


def max_pyramid(t: Tensor, level: int) -> Tensor:
    """The last two axes in squares of 2^level: of each the number that is farthest from 0, so that a spike is seen."""
    f = _plain(t)
    while f.dim() < 2:
        f = f.unsqueeze(0)
    size = 1 << level
    rows, columns = f.shape[-2:]
    padded = nn.functional.pad(f, (0, -columns % size, 0, -rows % size))
    shape = tuple(f.shape[:-2]) + (padded.shape[-2] // size, size, padded.shape[-1] // size, size)
    squares = padded.reshape(shape).transpose(-3, -2).reshape(shape[:-4] + (shape[-4], shape[-2], size * size))
    at = torch.nan_to_num(squares.abs(), nan=math.inf).argmax(-1, keepdim=True)
    return squares.gather(-1, at).squeeze(-1)


def _number(x: float) -> Union[float, str]:
    """A number in JSON, which has neither NaN nor infinity."""
    if math.isnan(x):
        return "NaN"
    return x if math.isfinite(x) else ("Infinity" if x > 0 else "-Infinity")


def _jsonable(x: Any) -> Any:
    if isinstance(x, float):
        return _number(x)
    if isinstance(x, dict):
        return {str(k): _jsonable(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [_jsonable(v) for v in x]
    return x if isinstance(x, (str, int, bool, type(None))) else str(x)


def raw_bytes(t: Tensor) -> bytes:
    """The numbers as little-endian bytes in the order of the shape. bfloat16 as its 2 bytes. No NumPy is needed."""
    t = t.detach().cpu().contiguous().reshape(-1)
    if t.numel() == 0:
        return b""
    if t.dtype == torch.bool:
        t = t.to(torch.uint8)
    size = t.numel() * t.element_size()
    with contextlib.suppress(Exception):
        viewed = t.view(torch.int16) if t.dtype == torch.bfloat16 else t
        return bytes(viewed.numpy().tobytes())
    import ctypes

    return ctypes.string_at(t.data_ptr(), size)


# ---------------------------------------------------------------------------------------------------------------
# Expressions: a small tree of data that the debugger sends, computed on the values of the moment. Nothing is executed.
# ---------------------------------------------------------------------------------------------------------------

_REDUCTIONS: Dict[str, Callable[[Tensor], Tensor]] = {
    "norm": lambda t: t.norm(),
    "mean": lambda t: t.mean(),
    "sum": lambda t: t.sum(),
    "max": lambda t: t.max(),
    "min": lambda t: t.min(),
    "absmax": lambda t: t.abs().max(),
    "std": lambda t: ((t - t.mean()) ** 2).mean().sqrt(),
    "nan": lambda t: torch.isnan(t).sum(),
}
_OF_NOTHING = {"norm": 0.0, "sum": 0.0, "nan": 0.0}

_ARITHMETIC: Dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
}
_COMPARISONS: Dict[str, Callable[[float, float], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


class NotYet(Problem):
    """A value that is not there at this moment: a condition on it does not hold."""

    def __init__(self, message: str, hint: str = "Go on until its module has run.") -> None:
        super().__init__(message, "SITE_NOT_CAPTURED", hint)


@dataclasses.dataclass
class Labelled:
    """A tensor whose axes have names."""

    tensor: Tensor
    axes: List[str]


Value = Union[bool, float, Labelled]


class Moment:
    """What an expression can read: the tensors, tokens and counters of an event."""

    def __init__(self, agent: "Agent", event: Optional["_Event"]) -> None:
        self.agent = agent
        self.event = event

    def tensor(self, ref: Json) -> Tensor:
        return self.agent.resolve(ref, self.event)

    @property
    def offset(self) -> int:
        """The position of index 0 of this pass."""
        return self.agent.progress.past

    def word(self, name: str) -> Value:
        progress = self.agent.progress
        if name == "step":
            return float(progress.step)
        if name == "token" and progress.ids:
            return float(progress.ids[-1])
        if name == "layer":
            layer = self.agent.layer_of(self.event.path) if self.event else None
            if layer is None:
                raise NotYet("there is no layer here", "Only inside a block there is one.")
            return float(layer)
        if name == "loss":
            loss = self.agent.loss_now()
            if loss is not None:
                return loss
            raise NotYet("no loss is known yet", "Train with labels, or tell it: agent.log(loss=...).")
        if name == "entropy":
            return float(_entropy(self.scores(None)))
        raise NotYet("there is no %s here" % name)

    def scores(self, position: Any) -> Tensor:
        """The scores of the token after a position; left out: the last. [vocab]"""
        return self.agent.score_row(position)

    def texts(self) -> List[str]:
        return self.agent.texts()

    def positions(self, index: Json) -> int:
        found = [i for i, t in enumerate(self.texts()) if t == index.get("token")]
        if not found:
            raise Problem("no token is %s" % json.dumps(index.get("token")), "SELECTOR_INVALID", "Give a number.")
        which = index.get("occurrence")
        if which is None and len(found) > 1:
            raise Problem("%s occurs %d times" % (json.dumps(index["token"]), len(found)), "AMBIGUOUS_TOKEN", "Say which: #1.")
        if which == "last":
            return found[-1]
        at = 1 if which is None else int(which)
        if not 1 <= at <= len(found):
            raise Problem("there is no occurrence %d" % at, "SELECTOR_INVALID", "It occurs %d times." % len(found))
        return found[at - 1]


class _OwnMoment(Moment):
    """What an expression can read of one sequence of a pass that was run for it. Graphs are kept."""

    def __init__(self, agent: "Agent", own: "_OwnPass", row: int, ids: List[int]) -> None:
        super().__init__(agent, None)
        self.own, self.row, self.ids = own, row, ids

    def tensor(self, ref: Json) -> Tensor:
        t = self.own.found.get((str(ref.get("path")), str(ref.get("slot"))))
        if t is None:
            raise NotYet("%s was not computed in this pass" % (ref.get("path") or "the model"), "Its module was not called.")
        return _viewed(t[self.row : self.row + 1], ref.get("view"))

    @property
    def offset(self) -> int:
        return 0

    def word(self, name: str) -> Value:
        if name == "step":
            return 0.0
        if name == "token":
            return float(self.ids[-1])
        if name == "entropy":
            return Labelled(_entropy(self.scores(None)), [])
        raise Problem("%s is not known of a prompt that is run in a live process" % name, "EXPRESSION_INVALID", "Use scores or a site.")

    def scores(self, position: Any) -> Tensor:
        t = self.tensor(self.own.logits)
        row = t.reshape(-1, t.shape[-2], t.shape[-1])[0]
        if position is None:
            return _wide(row[-1])
        at = self.positions(position) if isinstance(position, dict) else int(position)
        at = len(self.ids) + at if at < 0 else at
        if not 0 <= at < row.shape[0]:
            raise Problem("there is no position %d" % at, "SELECTOR_INVALID", "The last is %d." % (row.shape[0] - 1))
        return _wide(row[at])

    def texts(self) -> List[str]:
        return [self.agent.text_of(i) for i in self.ids]


def _entropy(scores: Tensor) -> Tensor:
    p = scores.softmax(-1)
    return -(p * p.clamp_min(1e-300 if p.dtype == torch.float64 else 1e-38).log()).sum()


_MOVING = ("position", "query")


def indices_of(index: Any, axis: str, extent: int, moment: Moment) -> List[int]:
    """The indices that a selector chooses along an axis. Positions are absolute; those that are not here are left out."""
    start = moment.offset if axis in _MOVING else 0
    end = start + extent

    def absolute(i: int) -> int:
        return end + i if i < 0 else i

    if isinstance(index, int):
        wanted = [absolute(index)]
    elif isinstance(index, list):
        wanted = sorted({absolute(int(i)) for i in index})
    elif "token" in index:
        wanted = [moment.positions(index)]
    else:
        low, high = absolute(int(index["from"])), absolute(int(index["to"]))
        if low > high:
            raise Problem("the range %s=%s..%s is empty" % (axis, index["from"], index["to"]), "SELECTOR_INVALID", "Write the smaller end first.")
        wanted = list(range(max(low, start), min(high, end - 1) + 1))
    grows = axis in ("position", "query", "key")
    for i in wanted:
        if i < 0 or (not grows and i >= end):
            raise Problem(
                "%s=%d is out of range: the extent is %d" % (axis, i, extent), "SELECTOR_INVALID", "Choose an index inside."
            )
    return [i - start for i in wanted if start <= i < end]


def select(value: Labelled, where: Json, moment: Moment) -> Labelled:
    """The part that a selector chooses; all axes stay."""
    tensor = value.tensor
    for axis, index in where.items():
        if axis not in value.axes:
            raise Problem("there is no axis %s" % axis, "SELECTOR_INVALID", "Its axes are %s." % ", ".join(value.axes))
        at = value.axes.index(axis)
        chosen = indices_of(index, axis, tensor.shape[at], moment)
        tensor = tensor.index_select(at, torch.tensor(chosen, dtype=torch.long, device=tensor.device))
    return Labelled(tensor, value.axes)


class Evaluation:
    """Computes a tree: numbers, words, values, reductions, arithmetic, comparisons, and scores of tokens."""

    MOST_NODES = 1000

    def __init__(self, moment: Moment) -> None:
        self.moment = moment
        self.nodes = 0

    def value(self, node: Json) -> Value:
        self.nodes += 1
        if self.nodes > self.MOST_NODES:
            raise Problem("an expression of more than %d parts is too large" % self.MOST_NODES, "EXPRESSION_INVALID", "Cut it.")
        kind = node.get("kind")
        if kind == "number":
            return _float(node["value"])
        if kind == "word":
            return self.moment.word(str(node["word"]))
        if kind == "site":
            axes = [str(a) for a in node["axes"]]
            tensor = self.read(self.moment.tensor(node["ref"]))
            if len(axes) != tensor.dim():
                axes = self.moment.agent.axes_of(tensor)
            return select(Labelled(tensor, axes), node.get("where") or {}, self.moment)
        if kind == "token":
            return self._score(node)
        if kind == "reduce":
            return self._reduce(str(node["by"]), self.value(node["of"]))
        if kind == "cosine":
            a, b = (self._tensor(self.value(node[side])).reshape(-1) for side in ("left", "right"))
            if a.shape != b.shape:
                raise Problem("cosine takes tensors of equal shape", "EXPRESSION_INVALID", "Choose parts of equal shape.")
            return self.number((a * b).sum() / (a.norm() * b.norm()))
        if kind == "unary":
            of = self.value(node["of"])
            if node["operator"] == "!":
                return not self.truth(of)
            return Labelled(-of.tensor, of.axes) if isinstance(of, Labelled) else -float(of)
        if kind == "binary":
            return self._binary(str(node["operator"]), node)
        raise Problem("an expression has no part %s" % kind, "EXPRESSION_INVALID", "The debugger is of another version.")

    def read(self, t: Tensor) -> Tensor:
        return _plain(t)

    def number(self, t: Tensor) -> Value:
        return float(t)

    def truth(self, value: Value) -> bool:
        return value if isinstance(value, bool) else self.one(value) != 0

    def one(self, value: Value) -> float:
        if not isinstance(value, Labelled):
            return float(value)
        if value.tensor.numel() > 1:
            raise Problem(
                "one number is needed, and this is a tensor of shape %s" % list(value.tensor.shape),
                "EXPRESSION_INVALID",
                "Make one of it, as in max(...) or norm(...), or choose one element.",
            )
        return float(value.tensor.reshape(-1)[0]) if value.tensor.numel() else math.nan

    def _tensor(self, value: Value) -> Tensor:
        t = value.tensor if isinstance(value, Labelled) else torch.tensor([float(value)])
        return _wide(t)

    def _reduce(self, by: str, value: Value) -> Value:
        if by not in _REDUCTIONS:
            raise Problem("there is no function %s" % by, "EXPRESSION_INVALID", ", ".join(_REDUCTIONS))
        t = self._tensor(value)
        return self.number(_REDUCTIONS[by](t)) if t.numel() else _OF_NOTHING.get(by, math.nan)

    def _binary(self, operator: str, node: Json) -> Value:
        first = self.value(node["left"])
        if operator == "&&":
            return self.truth(first) and self.truth(self.value(node["right"]))
        if operator == "||":
            return self.truth(first) or self.truth(self.value(node["right"]))
        second = self.value(node["right"])
        if operator in _COMPARISONS:
            return _COMPARISONS[operator](self.one(first), self.one(second))
        if not isinstance(first, Labelled) and not isinstance(second, Labelled):
            return self._combine(operator, float(first), float(second))
        a = self._tensor(first) if isinstance(first, Labelled) else float(first)
        b = self._tensor(second) if isinstance(second, Labelled) else float(second)
        if isinstance(a, Tensor) and isinstance(b, Tensor) and a.shape != b.shape and 1 not in (a.numel(), b.numel()):
            raise Problem("%s takes tensors of equal shape" % operator, "EXPRESSION_INVALID", "Choose parts of equal shape.")
        axes = first.axes if isinstance(first, Labelled) else second.axes if isinstance(second, Labelled) else []
        return Labelled(self._combine(operator, a, b), axes)

    def _combine(self, operator: str, a: Any, b: Any) -> Any:
        if operator != "/":
            return _ARITHMETIC[operator](a, b)
        if isinstance(a, Tensor) or isinstance(b, Tensor) or b != 0:
            return a / b
        return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1.0, b)

    def _score(self, node: Json) -> Value:
        by, token = str(node["by"]), node["token"]
        row = _wide(self.moment.scores(node.get("position")))
        if not isinstance(token, int) or not 0 <= token < row.numel():
            raise Problem("no token has id %s: the model scores %d" % (token, row.numel()), "ID_OUT_OF_RANGE", "Give its id.")
        if by == "logit":
            return self.number(row[token])
        if by == "prob":
            return self.number(row.softmax(-1)[token])
        if by == "logprob":
            return self.number(row.log_softmax(-1)[token])
        if by == "rank":
            return 1.0 + float((row > row[token]).sum())
        raise Problem("%s is not known in a live process's conditions" % by, "EXPRESSION_INVALID", "Use prob or rank.")


class Derivable(Evaluation):
    """The same, with numbers that stay tensors: gradients go back through them."""

    def read(self, t: Tensor) -> Tensor:
        return t if t.dtype in (torch.float32, torch.float64) else t.float()

    def number(self, t: Tensor) -> Value:
        return Labelled(t, [])

    def scalar(self, tree: Json) -> Tensor:
        value = self.value(tree)
        if not isinstance(value, Labelled):
            return torch.tensor(float(value), dtype=torch.float64)
        self.one(value)  # refuses more than one number
        return value.tensor.reshape(())


def _float(x: Any) -> float:
    return float(x) if isinstance(x, (int, float)) else {"NaN": math.nan, "Infinity": math.inf}.get(str(x), -math.inf)


# ---------------------------------------------------------------------------------------------------------------
# Where a run is
# ---------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Progress:
    """The pass that runs, and the sequence that it belongs to."""

    passes: int = -1  # passes since the agent began, from 0
    step: int = 0  # 0 is a prefill or the first batch; then generated tokens, or optimiser steps in training
    past: int = 0  # tokens in the cache when the pass began
    ids: List[int] = dataclasses.field(default_factory=list)  # of the first sequence in the batch
    prompt: int = 0  # how many of them were given
    training: bool = False
    optimiser: int = 0  # steps of the optimiser that are done


class _Frame:
    """A call of a module that is under way."""

    __slots__ = ("path", "module", "nth", "args", "kwargs", "caches", "start", "again", "recompute", "memory")

    def __init__(self, path: str, module: nn.Module, nth: int) -> None:
        self.path = path
        self.module = module
        self.nth = nth
        self.args: Tuple[Any, ...] = ()
        self.kwargs: Optional[Json] = None
        self.caches: List[Tuple[Any, Json]] = []
        self.start = 0
        self.again = False
        self.recompute = False
        self.memory = 0


class _Event:
    """A moment at which a run can stop: before or after a module, in its backward, at an operation, at the optimiser."""

    __slots__ = ("when", "path", "nth", "depth", "values", "original", "recompute", "new", "op")

    def __init__(self, when: str, path: str, nth: int, depth: int, values: Slots, op: Optional[str] = None) -> None:
        self.when = when
        self.path = path
        self.nth = nth
        self.depth = depth
        self.values = values
        self.original = values  # as the model made them; another dict once something is changed
        self.recompute = False
        self.new: Slots = {}
        self.op = op

    @property
    def place(self) -> Tuple[str, str, int]:
        return (self.path, self.when, self.nth)

    def change(self, name: str, value: Tensor) -> None:
        """Puts another tensor in the place of one."""
        if self.values is self.original:
            self.values = dict(self.original)
        self.new[name] = self.values[name] = value

    def unchanged(self) -> None:
        """As the model made it."""
        self.values, self.new = self.original, {}


class _Kept:
    """A value of this pass, and how often it had been changed in place when it was kept."""

    __slots__ = ("tensor", "version", "bytes")

    def __init__(self, tensor: Tensor, version: int, size: int) -> None:
        self.tensor = tensor
        self.version = version
        self.bytes = size


class _Local(threading.local):
    """What each thread has of its own."""

    def __init__(self) -> None:
        self.stack: List[_Frame] = []
        self.busy = 0  # the agent itself computes: nothing is an event
        self.silent: Optional[_Frame] = None  # the rest of a call that is made again
        self.modes: List[Tuple[_Frame, Any]] = []


def _saved_cache(x: Any) -> List[Tuple[Any, Json]]:
    """The caches among arguments, as they are: what they hold by reference, since they grow by new tensors."""
    found: List[Tuple[Any, Json]] = []
    values = x.values() if _is_mapping(x) else x if isinstance(x, (list, tuple)) else ()
    for v in values:
        if _is_cache(v):
            parts = {k: list(p) if isinstance(p, list) else p for k, p in vars(v).items()}
            found.append((v, parts))
            for layer in parts.get("layers") or []:
                if hasattr(layer, "__dict__"):
                    found.append((layer, dict(vars(layer))))
    return found


def _restore(saved: List[Tuple[Any, Json]]) -> None:
    for owner, parts in saved:
        for k, v in parts.items():
            vars(owner)[k] = list(v) if isinstance(v, list) else v


def _cache_length(kwargs: Json, args: Sequence[Any]) -> int:
    past = next((v for k, v in kwargs.items() if k.startswith("past") and v is not None), None)
    if past is None:
        return 0
    if hasattr(past, "get_seq_length"):
        with contextlib.suppress(Exception):
            return int(past.get_seq_length())
    tensors = list(flatten(past, "p").values())
    return int(tensors[0].shape[-2]) if tensors and tensors[0].dim() >= 2 else 0


_no_hook = contextlib.nullcontext().__exit__
"""Takes anything and gives nothing, and can be pickled without this file: what a hook is in a copy of the model."""


class _Hook:
    """A hook of the agent. In a copy of the model, or in a file, it is one that does nothing."""

    __slots__ = ("agent", "path", "kind")

    def __init__(self, agent: "Agent", path: str, kind: str) -> None:
        self.agent = agent
        self.path = path
        self.kind = kind

    def __call__(self, module: nn.Module, *rest: Any) -> Any:
        agent = self.agent
        if not self.path and self.kind == "before":
            agent.progress.passes += 1
        if not agent.live:
            return None
        if self.kind == "before":
            return agent.on_before(module, self.path, rest[0], rest[1] if len(rest) > 1 else None)
        kwargs = rest[1] if len(rest) > 2 else None
        return agent.on_after(module, self.path, (rest[0], kwargs), rest[-1])

    def __deepcopy__(self, memo: Any) -> Callable[..., None]:
        return _no_hook

    def __copy__(self) -> Callable[..., None]:
        return _no_hook

    def __reduce__(self) -> Tuple[Any, ...]:
        return (getattr, (contextlib.nullcontext(), "__exit__"))


# ---------------------------------------------------------------------------------------------------------------
# The wire
# ---------------------------------------------------------------------------------------------------------------


class _Wire:
    """Frames on a socket. Sending is safe from any thread."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.lock = threading.Lock()
        self.reader = sock.makefile("rb")
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, message: Json, payload: bytes = b"") -> None:
        head = json.dumps(_jsonable(message), allow_nan=False).encode()
        with self.lock:
            self.sock.sendall(struct.pack("<II", len(head), len(payload)) + head + payload)

    def receive(self) -> Tuple[Json, bytes]:
        lengths = self._exactly(8)
        header, payload = struct.unpack("<II", lengths)
        if header == 0 or header > _HEADER_LIMIT or payload > _PAYLOAD_LIMIT:
            raise EOFError("this is no frame")
        message = json.loads(self._exactly(header).decode("utf-8"))
        if not isinstance(message, dict):
            raise EOFError("a message is an object")
        return message, self._exactly(payload)

    def _exactly(self, count: int) -> bytes:
        data = self.reader.read(count)
        if len(data) < count:
            raise EOFError("the debugger is gone")
        return data

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self.sock.close()


@dataclasses.dataclass
class _Answer:
    result: Json
    payload: bytes = b""


_Job = Callable[[], bool]
"""Work for the thread that is stopped; true: the run goes on."""


class _Stop:
    """A thread that stands at an event. What is asked of tensors runs on it: grad mode, streams are the thread's own."""

    def __init__(self, event: _Event, why: Json) -> None:
        self.event = event
        self.why = why
        self.jobs: "queue.Queue[_Job]" = queue.Queue()
        self.thread = threading.get_ident()
        self.name = threading.current_thread().name


# ---------------------------------------------------------------------------------------------------------------
# The agent
# ---------------------------------------------------------------------------------------------------------------


def unwrapped(model: nn.Module) -> nn.Module:
    """The model inside torch.compile, DataParallel and DistributedDataParallel."""
    while True:
        inner = getattr(model, "_orig_mod", None)
        if inner is None and type(model).__name__ in ("DataParallel", "DistributedDataParallel"):
            inner = getattr(model, "module", None)
        if not isinstance(inner, nn.Module):
            return model
        model = inner


def _is_compiled(model: nn.Module) -> bool:
    return any(
        hasattr(m, "_orig_mod") or getattr(m, "_compiled_call_impl", None) is not None for m in model.modules()
    )


def in_backward() -> bool:
    """Is this thread inside autograd's backward? There a checkpoint computes its modules a second time."""
    return _current_graph_task is not None and _current_graph_task() != -1


class Agent:
    """Stands in a process beside its model. One debugger at a time; without one it does nothing but count passes."""

    def __init__(
        self,
        model: Optional[nn.Module],
        *,
        token: Optional[str] = None,
        rank: Optional[int] = None,
        tokenizer: Any = None,
        optimizer: Any = None,
        forward: Optional[Callable[[Tensor], Any]] = None,
        keep_bytes: int = _KEPT_BYTES,
        stop_timeout: Optional[float] = None,
    ) -> None:
        self.token = token or os.environ.get("CUTAWAY_TOKEN") or os.urandom(16).hex()
        self.rank = int(os.environ.get("RANK", "0")) if rank is None else rank
        self.world = int(os.environ.get("WORLD_SIZE", "1"))
        self.tokenizer = tokenizer
        self.words: Optional[Tuple[Any, List[str]]] = None  # texts of the ids of this tokenizer, once asked for
        self.optimizer = optimizer
        self.forward = forward
        self.keep_bytes = keep_bytes
        self.stop_timeout = stop_timeout
        self.address: Optional[Tuple[str, int]] = None
        self.live = False
        self.active = False
        self.local = _Local()
        self.lock = threading.RLock()
        self.stop_lock = threading.Lock()
        self.stopped: Optional[_Stop] = None
        self.wire: Optional[_Wire] = None
        self.answering = threading.Lock()
        self.ending = False
        self.released = threading.Event()
        self.listener: Optional[socket.socket] = None
        self.handles: List[Any] = []
        self.root_handles: List[Any] = []
        self.progress = Progress()
        self.counts: Dict[str, int] = {}
        self.recounts: Dict[str, int] = {}
        self.keeping = threading.RLock()  # a debugger that leaves empties it while the model runs
        self.kept: "collections.OrderedDict[Tuple[str, str], _Kept]" = collections.OrderedDict()
        self.kept_size = 0
        self.keeps = True
        self.lost_kept: Dict[Tuple[str, str], str] = {}
        self.grads: Dict[Tuple[str, str], Tensor] = {}
        self.takes_grads = True
        self.points: Dict[int, Json] = {}
        self.places: Dict[Tuple[str, str], List[Json]] = {}
        self.met: Dict[int, int] = {}
        self.seen: Dict[int, Any] = {}
        self.caught: List[Json] = []
        self.patches: List[Json] = []
        self.undo_weights: Dict[int, Tuple[str, Tensor]] = {}
        self.stepping: Optional[Json] = None
        self.pausing = False
        self.until: Optional[Json] = None
        self.ops: List[str] = []
        self.logits: Optional[Json] = None
        self.site_names: Dict[str, Json] = {}
        self.tracing: Optional["_Trace"] = None
        self.training = _Training(self)
        self.post: Optional["_PostMortem"] = None
        self.last_loss: Optional[float] = None
        self.order: List[str] = []
        self.pass_order: List[str] = []
        self.logged = [0.0, 0, 0]  # second, lines in it, lines left out
        self.stance: Any = None
        self.main_jobs: "queue.Queue[Callable[[], None]]" = queue.Queue()
        self.serving = False
        self.fused: List[Tuple[Any, int]] = []
        self.next_id = 0
        self.paths: Dict[str, nn.Module] = {}
        self.blocks: Dict[str, int] = {}
        self._model: Optional[nn.Module] = None
        if model is not None:
            self.take(model)
        _agents.add(self)

    # ---- the model

    @property
    def model(self) -> nn.Module:
        if self._model is None:
            raise Problem("there is no model yet", "COMMAND_INVALID", "It is found at its first call.")
        return self._model

    def take(self, model: nn.Module) -> None:
        """Makes a model the one that is debugged. A module with several paths goes by the first, as in `modules`."""
        self._model = unwrapped(model)
        self.given = model
        self.paths = dict(self._model.named_modules())
        self.blocks = _blocks_of(self._model)
        hook = _Hook(self, "", "before")
        self.root_handles = [self._register_before(self._model, hook)]
        if self.live:
            self._change_hooks()

    def layer_of(self, path: str) -> Optional[int]:
        """The number of the block that a module is in."""
        while path:
            if path in self.blocks:
                return self.blocks[path]
            path = path.rpartition(".")[0]
        return None

    def _register_before(self, module: nn.Module, hook: _Hook) -> Any:
        if _HAS_KWARGS:
            return module.register_forward_pre_hook(hook, with_kwargs=True)
        return module.register_forward_pre_hook(hook)

    def _register_after(self, module: nn.Module, hook: _Hook) -> Any:
        if _HAS_KWARGS:
            return module.register_forward_hook(hook, with_kwargs=True, always_call=True)
        return module.register_forward_hook(hook)

    def _change_hooks(self) -> None:
        """Hooks where something is asked for: on all modules, or on none but the root."""
        with self.lock:
            wants = self.live and (
                bool(self.points or self.caught or self.patches or self.ops)
                or self.stepping is not None
                or self.pausing
                or self.until is not None
                or self.stopped is not None
                or self.tracing is not None
                or self.post is not None
                or self.training.wanted
            )
            if self._model is None or wants == self.active:
                return
            self.active = wants
            if not wants:
                self._remove_hooks()
                return
            for path, module in self.paths.items():
                if path:
                    self.handles.append(self._register_before(module, _Hook(self, path, "before")))
                self.handles.append(self._register_after(module, _Hook(self, path, "after")))
            self.training.install()
            self._force_eager()

    def _drop_hooks(self, inside: bool = False) -> None:
        """inside: from within a hook, where those must stay that PyTorch has others behind (it would fail there)."""
        kept = [h for h in self.handles if inside and not _is_last(h)]
        for handle in self.handles:
            if handle not in kept:
                handle.remove()
        self.handles = kept
        self.training.remove(inside)

    def _remove_hooks(self) -> None:
        self._drop_hooks()
        self._forget_kept()
        self.grads.clear()
        self._release_eager()

    def _leave_fast_paths(self) -> None:
        """Before 2.1, PyTorch's own encoder layers compute all at once where no gradient is wanted, whatever hooks they have."""
        for module in self.model.modules():
            kind = getattr(module, "activation_relu_or_gelu", 0) if isinstance(module, nn.TransformerEncoderLayer) else 0
            if kind:
                self.fused.append((module, kind))
                module.activation_relu_or_gelu = 0  # read to choose the fast path, and nowhere else

    def _force_eager(self) -> None:
        """Compiled code calls no hooks that came later: as long as something is asked for, it runs uncompiled."""
        self._leave_fast_paths()
        if not _is_compiled(self.given):
            return
        stance = getattr(getattr(torch, "compiler", None), "set_stance", None)
        if stance is None:
            self.tell("note", text="the model is compiled, and this PyTorch (before 2.6) cannot run it uncompiled: give the agent the model before torch.compile")
            return
        self.stance = stance("force_eager")
        self.tell("note", text="the model is compiled: it runs uncompiled as long as the debugger asks for something")

    def _release_eager(self) -> None:
        for module, kind in self.fused:
            module.activation_relu_or_gelu = kind
        self.fused.clear()
        if self.stance is None:
            return
        self.stance = None
        torch.compiler.set_stance("default")

    # ---- what hooks do

    def on_before(self, module: nn.Module, path: str, args: Tuple[Any, ...], kwargs: Optional[Json]) -> Any:
        local = self.local
        if local.busy:
            return None
        stack = local.stack
        if not path:
            stack.clear()
        recompute = in_backward()
        if not stack and not recompute and local.silent is None:
            self._begin_pass(path, args, kwargs or {})
        if not self.active:
            return None
        frame = _Frame(path, module, self._count(path, recompute))
        frame.recompute = recompute
        frame.args, frame.kwargs = args, kwargs
        stack.append(frame)
        if local.silent is not None:
            return None
        values = flatten(args, "in")
        if kwargs:
            for k, v in kwargs.items():
                if not k.startswith("past"):
                    flatten(v, "kw." + k, values)
        if kwargs:
            frame.caches = _saved_cache(kwargs)
        event = _Event("before", path, frame.nth, len(stack), values)
        event.recompute = recompute
        new = self._event(event)
        if self.ops or self.tracing:
            self._enter_ops(frame)
        if self.tracing:
            self.tracing.enter(frame)
        if not new:
            return None
        args = replaced(args, "in", new)
        if kwargs is None:
            frame.args = args
            return args
        kwargs = {k: replaced(v, "kw." + k, new) for k, v in kwargs.items()}
        frame.args, frame.kwargs = args, kwargs
        return args, kwargs

    def on_after(self, module: nn.Module, path: str, given: Tuple[Any, Optional[Json]], out: Any) -> Any:
        local = self.local
        if local.busy or not self.active:
            return None
        stack = local.stack
        if not (stack and stack[-1].path == path) and not any(f.path == path for f in stack):
            return None  # entered before there were hooks
        while stack and stack[-1].path != path:
            self._leave_ops(stack.pop())  # frames that an exception skipped
        frame = stack[-1]
        if local.modes:
            self._leave_ops(frame)
        error = _error_in(module) if out is None else None
        if error is not None:
            self._on_error(frame, error)
            stack.pop()
            return None
        if local.silent is not None:
            if local.silent is not frame:
                stack.pop()
                return None
            local.silent = None
            out = self._again(frame)
        if self.tracing:
            self.tracing.leave(frame, out)
        values = flatten(out, "out")
        event = _Event("after", path, frame.nth, len(stack), values)
        event.recompute = frame.recompute
        new = self._event(event)
        while frame.again:
            frame.again = False
            out = self._again(frame)
            values = flatten(out, "out")
            event = _Event("after", path, frame.nth, len(stack), values)
            event.recompute = frame.recompute
            new = self._event(event)
        result = replaced(out, "out", new) if new else out
        self._take_gradients(frame, result)
        if stack and stack[-1] is frame:
            stack.pop()
        if not stack and not frame.recompute:
            self._end_pass(path, result)
        return result if result is not given else None

    def _again(self, frame: _Frame) -> Any:
        """Calls a module a second time with what it was given."""
        for k, t in {**flatten(frame.args, "in"), **flatten(frame.kwargs or {}, "kw")}.items():
            kept = self.kept.get((frame.path, k))
            if kept is not None and kept.tensor is t and kept.version != _version(t):
                raise Problem("%s of %s was changed in place since: it cannot be run again" % (k, frame.path or "the model"))
        _restore(frame.caches)
        values = {**flatten(frame.args, "in"), **flatten(frame.kwargs or {}, "kw")}
        event = _Event("before", frame.path, frame.nth, len(self.local.stack), values)
        self._stop(event, {"reason": "goto"})
        if event.new:
            frame.args = replaced(frame.args, "in", event.new)
            frame.kwargs = {k: replaced(v, "kw." + k, event.new) for k, v in (frame.kwargs or {}).items()}
        self._enter_ops(frame)
        try:
            return frame.module.forward(*frame.args, **(frame.kwargs or {}))
        finally:
            self._leave_ops(frame)

    def _count(self, path: str, recompute: bool) -> int:
        counts = self.recounts if recompute else self.counts
        nth = counts.get(path, 0)
        counts[path] = nth + 1
        if not recompute and nth == 0:
            self.pass_order.append(path)
        return nth

    def _begin_pass(self, path: str, args: Sequence[Any], kwargs: Json) -> None:
        if path:
            self.progress.passes += 1
        self.counts, self.recounts, self.pass_order = {}, {}, []
        self._forget_kept()
        self._follow_sequence(args, kwargs)

    def _follow_sequence(self, args: Sequence[Any], kwargs: Json) -> None:
        """Which step of which sequence this pass is: by the cache, else by whether the ids go on from those before."""
        p = self.progress
        ids = kwargs.get("input_ids", kwargs.get("decoder_input_ids", args[0] if args else None))
        row: List[int] = []
        if isinstance(ids, Tensor) and ids.dtype in (torch.int64, torch.int32) and ids.dim() in (1, 2) and ids.device.type != "meta":
            row = [int(i) for i in (ids if ids.dim() == 1 else ids[0]).detach().cpu().tolist()]
        p.training = bool(torch.is_grad_enabled() and self._model is not None and self._model.training)
        p.past = _cache_length(kwargs, args)
        if p.training:
            p.step, p.ids, p.prompt = p.optimiser, row, len(row)
        elif p.past > 0:
            p.step += 1
            p.ids = (p.ids[: p.past] + row) if len(p.ids) >= p.past else p.ids + row
        elif row and len(row) == len(p.ids) + 1 and row[:-1] == p.ids:
            p.step, p.ids = p.step + 1, row
        else:
            p.step, p.ids, p.prompt = 0, row, len(row)

    def _end_pass(self, path: str, out: Any) -> None:
        if not path and len(self.pass_order) > 1:
            self.order = list(self.pass_order)
        loss = getattr(out, "loss", None)
        if isinstance(loss, Tensor) and loss.numel() == 1:
            self.last_loss = None
            self.training.loss_tensor = loss.detach()
        if self.post is not None:
            self.post.at_end(flatten(out, "out"))

    def _on_error(self, frame: _Frame, error: BaseException) -> None:
        if getattr(error, "_cutaway_seen", None) is self:
            return
        with contextlib.suppress(Exception):
            error._cutaway_seen = self  # type: ignore[attr-defined]
        if self.post is not None:
            self.post.on_error(error, frame)
        if any(c["kind"] == "error" for c in self.caught):
            text = "%s: %s, in %s" % (type(error).__name__, error, frame.path or "the model")
            values = {**flatten(frame.args, "in"), **flatten(frame.kwargs or {}, "kw")}
            event = _Event("error", frame.path, frame.nth, len(self.local.stack), values)
            self._stop(event, {"reason": "exception", "filter": "error", "description": text})

    # ---- gradients of activations

    def _take_gradients(self, frame: _Frame, out: Any) -> None:
        if not self.takes_grads or not torch.is_grad_enabled():
            return
        for slot, t in flatten(out, "out").items():
            if t.requires_grad and not t.is_inference():
                t.register_hook(_GradientHook(self, frame.path, slot, frame.nth))

    def on_gradient(self, path: str, slot: str, nth: int, gradient: Tensor) -> Optional[Tensor]:
        if not self.live or not self.active or self.local.busy:
            return None
        values = {"grad": gradient} if slot == "out" else {"grad." + slot[4:]: gradient}
        depth = path.count(".") + 2 if path else 1
        event = _Event("backward", path, nth, depth, values)
        new = self._event(event)
        result = new[next(iter(values))] if new else gradient
        self.grads[(path, slot)] = result.detach()
        return result if new else None

    # ---- an event: changed, kept, and stopped at where something says so

    def _event(self, event: _Event) -> Slots:
        if self.patches:
            self._patch(event)
        if self.keeps and event.when in ("before", "after") and not event.recompute:
            self._keep(event)
        if event.recompute and not any(p.get("recompute") for p in self.points.values()):
            return event.new
        why = self._why(event)
        if why is not None:
            self._stop(event, why)
        return event.new

    def _patch(self, event: _Event) -> None:
        for patch in self.patches:
            if patch["path"] == event.path and patch["when"] == event.when and self._in_steps(patch):
                self._apply(patch, event)

    def _in_steps(self, rule: Json) -> bool:
        step = self.progress.step
        if rule.get("only") is not None and step not in rule["only"]:
            return False
        steps = rule.get("steps")
        if not steps:
            return True
        return bool(step >= steps["from"] and step <= steps.get("to", step))

    def _apply(self, patch: Json, event: _Event) -> None:
        if patch["act"] == "skip":
            for name, t in list(event.values.items()):
                if name in ("out", "out.0"):
                    event.change(name, self._passed(event.path, t))
            return
        name = self._slot(patch["slot"], event.values)
        if name is None:
            return
        event.change(name, self._edited(event.values[name], patch))

    def _passed(self, path: str, out: Tensor) -> Tensor:
        """What a skipped module gives: what it took, where that has the same shape; else zeros."""
        frame = next((f for f in reversed(self.local.stack) if f.path == path), None)
        given = {**flatten(frame.args, "in"), **flatten(frame.kwargs or {}, "kw")} if frame else {}
        same = next((t for t in given.values() if t.shape == out.shape and t.dtype == out.dtype), None)
        return torch.zeros_like(out) if same is None else same

    def _edited(self, t: Tensor, patch: Json) -> Tensor:
        """A changed copy, inside the graph: gradients still flow around what is changed."""
        self.local.busy += 1
        try:
            made = t.clone()
            self._write(made, patch, Moment(self, None))
            return made
        finally:
            self.local.busy -= 1

    def _write(self, made: Tensor, patch: Json, moment: Moment) -> None:
        """Makes a change in place."""
        part, index = self._part(made, patch, moment)
        act, value = patch["act"], patch.get("value")
        if act == "set":
            part[index] = _float(value)
        elif act == "zero":
            part[index] = 0
        elif act == "scale":
            part[index] = part[index] * _float(value)
        elif act == "add":
            part[index] = part[index] + _float(value)
        elif act == "mean":
            axes = [i for i in range(part.dim() - 1) if i < 2]
            part[index] = part.float().mean(axes, keepdim=True).to(part.dtype).expand_as(part)[index]
        elif act == "vector":
            part[index] = part[index] + _float(value) * patch["data"].to(part.device, part.dtype)
        elif act in ("data", "plus"):
            numbers = patch["data"].to(part.device, part.dtype).reshape(-1)
            if act == "plus" or patch.get("where"):
                old = part[index]
                if numbers.numel() != old.numel():
                    raise Problem("%d numbers are given for %d" % (numbers.numel(), old.numel()), hint="Give as many.")
                numbers = numbers.reshape(old.shape)
                part[index] = old + numbers if act == "plus" else numbers
                return
            start = int(patch.get("offset", 0))
            if start + numbers.numel() > part.numel():
                raise Problem("the value ends at number %d" % part.numel(), hint="Write inside of it.")
            if part.is_contiguous():
                part.view(-1)[start : start + numbers.numel()] = numbers
            else:
                flat = part.reshape(-1)
                flat[start : start + numbers.numel()] = numbers
                part.copy_(flat.reshape(part.shape))
        else:
            raise Problem("there is no change %s" % act)

    def _part(self, t: Tensor, rule: Json, moment: Optional[Moment] = None) -> Tuple[Tensor, Any]:
        """The view that a rule speaks of, and the index of the part that it chooses."""
        part = _viewed(t, rule.get("view"))
        where = rule.get("where") or {}
        if not where:
            return part, Ellipsis
        axes = [str(a) for a in rule["axes"]]
        chosen: Dict[int, List[int]] = {}
        for axis, which in where.items():
            if axis not in axes or axes.index(axis) >= part.dim():
                raise Problem("there is no axis %s" % axis, "SELECTOR_INVALID", "Its axes are %s." % ", ".join(axes))
            at = axes.index(axis)
            chosen[at] = indices_of(which, axis, part.shape[at], moment or Moment(self, None))
        if rule.get("act") in ("data", "plus"):  # an index for each axis: the part then has its axes in their order
            chosen = {at: chosen.get(at, list(range(n))) for at, n in enumerate(part.shape)}
        index: List[Any] = [slice(None)] * part.dim()
        for i, at in enumerate(sorted(chosen)):
            shape = [1] * len(chosen)
            shape[i] = len(chosen[at])
            index[at] = torch.tensor(chosen[at], dtype=torch.long, device=part.device).reshape(shape)
        return part, tuple(index)

    def _slot(self, slot: str, values: Slots) -> Optional[str]:
        if slot in values:
            return slot
        first = slot + ".0"
        if first in values:
            return first
        if slot != "in.0":
            return None
        # given by name: the first that is a number of the stream
        given = [k for k, t in values.items() if k.startswith("kw.")]
        return next((k for k in given if values[k].is_floating_point() and k.endswith(("hidden_states", "input"))), given[0] if given else None)

    def _forget_kept(self) -> None:
        with self.keeping:
            self.kept.clear()
            self.lost_kept.clear()
            self.kept_size = 0

    def _keep(self, event: _Event) -> None:
        with self.keeping:
            self._keep_all(event)

    def _keep_all(self, event: _Event) -> None:
        kept, path = self.kept, event.path
        for slot, t in event.values.items():
            size = t.numel() * t.element_size()
            if t.is_inference():
                t = t.clone()  # nobody counts what is changed in place under inference_mode
            key = (path, slot)
            if event.nth and key in kept:
                self.kept_size -= kept.pop(key).bytes
            self.kept_size += size
            kept[key] = _Kept(t, -1 if t.is_inference() else t._version, size)
        while self.kept_size > self.keep_bytes and self.kept:
            gone, value = self.kept.popitem(last=False)
            self.kept_size -= value.bytes
            self.lost_kept[gone] = "more than %d MB were kept in this pass" % (self.keep_bytes >> 20)

    # ---- values by reference

    def resolve(self, ref: Json, event: Optional[_Event]) -> Tensor:
        """The tensor that a reference means now. @raises NotYet, Problem"""
        view = ref.get("view")
        if "tree" in ref:
            value = Evaluation(Moment(self, event)).value(ref["tree"])
            return value.tensor if isinstance(value, Labelled) else torch.tensor([float(value)], dtype=torch.float64)
        if "param" in ref:
            return _viewed(self.parameter(str(ref["param"])), view)
        if "grad" in ref:
            return _viewed(self._gradient(ref), view)
        if "slot" not in ref:
            raise Problem("this is no reference", "SITE_UNKNOWN", "Name a value that the model has.")
        path, slot = ref.get("path"), str(ref["slot"])
        if event is not None and (path is None or path == event.path):
            values = event.values
            if path is None and slot not in values:
                values = {**self._cache_values(event), **values}
            name = self._slot(slot, values)
            if name is not None:
                return _viewed(values[name], view)
        if path is None:
            raise NotYet("%s is not here" % slot)
        return _viewed(self._kept_value(str(path), slot), view)

    def _kept_value(self, path: str, slot: str) -> Tensor:
        with self.keeping:
            there = {s: k.tensor for (p, s), k in self.kept.items() if p == path}
        own = self._slot(slot, there)
        found = self.kept.get((path, own)) if own is not None else None
        if found is None:
            frame = next((f for f in reversed(self.local.stack) if f.path == path), None)
            given = {**flatten(frame.args, "in"), **flatten(frame.kwargs or {}, "kw")} if frame else {}
            name = self._slot(slot, given)
            if name is not None:
                return given[name]
            why = self.lost_kept.get((path, slot)) or self.lost_kept.get((path, slot + ".0"))
            where = path or "the model"
            if why:
                raise NotYet("%s of %s is not kept: %s" % (slot, where, why), "Stop there, or keep more: listen(keep_bytes=...).")
            if path not in self.paths:
                raise Problem("there is no module %s" % path, "SITE_UNKNOWN", "The listing names all.")
            raise NotYet("%s of %s is not computed yet in this pass" % (slot, where))
        if _version(found.tensor) != found.version:
            raise NotYet(
                "%s of %s was changed in place after its module had run" % (slot, path or "the model"),
                "Stop at the module to see it as it was.",
            )
        return found.tensor

    def _cache_values(self, event: _Event) -> Slots:
        frame = next((f for f in reversed(self.local.stack) if f.path == event.path), None)
        out: Slots = {}
        for k, v in (frame.kwargs or {}).items() if frame else ():
            if k.startswith("past"):
                flatten(v, "kw." + k, out)
        return out

    def parameter(self, name: str) -> Tensor:
        """A parameter or buffer by any of its names; `named_parameters` knows a tied one by its first alone."""
        owner, _, leaf = name.rpartition(".")
        try:
            module = self.model.get_submodule(owner)
        except AttributeError:
            module = None
        found = getattr(module, leaf, None) if module is not None else None
        if isinstance(found, Tensor):
            return found
        raise Problem("there is no weight %s" % name, "WEIGHT_UNKNOWN", "`info weights` lists those of the module.")

    def _gradient(self, ref: Json) -> Tensor:
        name = str(ref["grad"])
        if "slot" not in ref:
            gradient = self.parameter(name).grad
            if gradient is None:
                raise NotYet("%s has no gradient" % name, "Gradients are there after backward, until they are zeroed.")
            return gradient
        slot = str(ref["slot"])
        for key in ((name, slot), (name, slot + ".0")):
            if key in self.grads:
                return self.grads[key]
        raise NotYet("no gradient of %s came by yet" % (name or "the model"), "Gradients are there once backward has passed.")

    def score_row(self, position: Any) -> Tensor:
        """The scores of the token after a position (left out: the last), of the first sequence. [vocab]"""
        t = self._logits()
        row = t.reshape(-1, t.shape[-2], t.shape[-1])[0] if t.dim() >= 2 else t.reshape(1, -1)
        if position is None:
            return _plain(row[-1])
        moment = Moment(self, None)
        last = len(self.progress.ids)
        at = moment.positions(position) if isinstance(position, dict) else int(position)
        at = (last + at if at < 0 else at) - self.progress.past
        if not 0 <= at < row.shape[0]:
            raise NotYet("the scores at that position are not of this pass")
        return _plain(row[at])

    def _logits(self) -> Tensor:
        event = self.stopped.event if self.stopped else None
        if self.logits is not None:
            return self.resolve(self.logits, event)
        for slot in ("out.logits", "out.0", "out"):
            with contextlib.suppress(Problem):
                t = self.resolve({"path": "", "slot": slot}, event)
                if t.is_floating_point() and t.dim() >= 2:
                    return t
        raise NotYet("the scores are not computed yet in this pass", "Go on until the model's last module has run.")

    def loss_now(self) -> Optional[float]:
        if self.training.loss_tensor is not None:
            self.last_loss = float(self.training.loss_tensor)
            self.training.loss_tensor = None
        return self.last_loss

    def texts(self) -> List[str]:
        return [self.text_of(i) for i in self.progress.ids]

    def text_of(self, token: int) -> str:
        if self.tokenizer is None:
            return "[%d]" % token
        with contextlib.suppress(Exception):
            return str(self.tokenizer.decode([token]))
        return "[%d]" % token

    def vocabulary(self) -> List[str]:
        """The text of each id, with the space that a piece begins with."""
        tokenizer = self.tokenizer
        if self.words is None or self.words[0] is not tokenizer:
            size = len(tokenizer) if hasattr(tokenizer, "__len__") else int(tokenizer.get_vocab_size())
            texts = [self.text_of(i) for i in range(size)]
            spaced = [(_piece(tokenizer, i) or "")[:1] in ("\u2581", "\u0120") and t[:1] != " " for i, t in enumerate(texts)]
            self.words = (tokenizer, [" " + t if s else t for s, t in zip(spaced, texts)])
        return self.words[1]

    # ---- does something stop here?

    def _why(self, event: _Event) -> Optional[Json]:
        why: Optional[Json] = None
        if self.caught:
            why = self._caught_at(event)
        points = self.places.get((event.path, event.when))
        if points:
            found = self._point_at(points, event)
            why = why or found
        if why is None and (self.until is not None or self.stepping is not None or self.pausing):
            why = self._motion_at(event)
        return why

    def _motion_at(self, event: _Event) -> Optional[Json]:
        if self.until is not None:
            until = self.until
            now = self.progress.passes
            if now == until["pass"] and event.place == (until["path"], until["when"], until["nth"]):
                return {"reason": "follow"}
            if now > until["pass"]:
                return {"reason": "follow", "ahead": True}
        if self.pausing:
            return {"reason": "pause"}
        step = self.stepping
        if step is None:
            return None
        if event.when != "backward" and step["thread"] != threading.get_ident():
            return None
        return {"reason": "goto" if step["by"] == "to" else "step"} if self._reached(step, event) else None

    def _reached(self, step: Json, event: _Event) -> bool:
        by, depth, path = step["by"], step["depth"], step["path"]
        if by == "to":
            return bool(event.path == step["to"]["path"] and event.when == step["to"]["when"])
        if by == "token":
            outermost = event.when == "before" and event.depth == 1
            later = self.progress.passes > step["pass"]
            return outermost and later and (not self.progress.training or self.progress.optimiser > step["optimiser"])
        if by == "layer":
            at_block = event.when == "before" and event.path in self.blocks and event.path != path
            return at_block or (event.when == "after" and event.depth == 1) or (event.when == "backward" and event.path in self.blocks)
        if event.when == "op":
            return bool(by == "in")
        if by == "in":
            return True
        if event.when == "backward" and step["when"] == "backward":
            outer = path if by == "over" else path.rpartition(".")[0]
            return not (event.path + ".").startswith(outer + ".") if outer else by == "over" and event.path != path
        if by == "over":
            return bool(event.depth <= depth)
        return event.when in ("after", "backward") and event.depth <= (depth if step["when"] == "before" else depth - 1)

    def _point_at(self, points: List[Json], event: _Event) -> Optional[Json]:
        why: Optional[Json] = None
        for point in list(points):
            if not self._in_steps(point) or (event.recompute and not point.get("recompute")):
                continue
            if "ranks" in point and self.rank not in point["ranks"] and not point.get("follows"):
                continue
            found = self._held(point, event)
            if found is None or (point.get("watch") is None and not self._counts(point)):
                continue
            if point.get("log") is not None:
                self._log(point, event)
            elif why is None:
                why = {"reason": "point", "point": point["id"], **found}
                if point.get("temporary"):
                    self.remove_points([point["id"]])
        return why

    def _held(self, point: Json, event: _Event) -> Optional[Json]:
        """Does all of a point hold? A condition that cannot be evaluated says so and stops."""
        try:
            if point.get("watch") is not None:
                return self._changed(point, event)
            condition = point.get("condition")
            if condition is None:
                return {}
            evaluation = Evaluation(Moment(self, event))
            with self.quiet():
                value = evaluation.value(condition)
                if isinstance(value, Labelled):
                    return {} if bool((value.tensor != 0).any()) else None
                return {} if evaluation.truth(value) else None
        except NotYet:
            return None
        except Problem as error:
            return {"problem": "%s. %s" % (error, error.hint)}
        except Exception as error:  # noqa: BLE001 - what tensors raise is told, not thrown into the model
            return {"problem": "%s: %s" % (type(error).__name__, error)}

    def _changed(self, point: Json, event: _Event) -> Optional[Json]:
        watch = point["watch"]
        with self.quiet():
            if "param" in watch:
                now: Any = float(_wide(_plain(self.parameter(watch["param"]))).norm())
            else:
                value = Evaluation(Moment(self, event)).value(watch["tree"])
                if isinstance(value, Labelled):
                    now = zlib.crc32(raw_bytes(value.tensor)) if value.tensor.numel() != 1 else float(value.tensor.reshape(-1)[0])
                else:
                    now = value
        before = self.seen.get(point["id"])
        self.seen[point["id"]] = now
        if before is None or before == now or (now != now and before != before):
            return None
        return {"before": before, "after": now} if self._counts(point) else None

    def _counts(self, point: Json) -> bool:
        met = self.met[point["id"]] = self.met.get(point["id"], 0) + 1
        hits = point.get("hits")
        if not hits:
            return True
        op, n = hits["op"], int(hits["n"])
        return {"%": met % max(1, n) == 0, ">": met > n, "==": met == n}.get(op, met >= n)

    def _log(self, point: Json, event: _Event) -> None:
        second, lines, _ = self.logged
        now = math.floor(time.monotonic())
        if now != second:
            if self.logged[2]:
                self.tell("note", text="%d lines of log points were left out: more than %d a second" % (self.logged[2], _LOGS_A_SECOND))
            self.logged = [now, 0, 0]
        elif lines >= _LOGS_A_SECOND:
            self.logged[2] += 1
            return
        self.logged[1] += 1
        parts = [p if isinstance(p, str) else self._logged(p, event) for p in point["log"]]
        self.tell("log", point=point["id"], parts=parts)

    def _logged(self, tree: Json, event: _Event) -> Json:
        try:
            with self.quiet():
                value = Evaluation(Moment(self, event)).value(tree)
                return {"stats": statistics(value.tensor)} if isinstance(value, Labelled) else {"value": value}
        except NotYet:
            return {"value": None}
        except Problem as error:
            return {"problem": str(error)}

    def _caught_at(self, event: _Event) -> Optional[Json]:
        for rule in self.caught:
            kind = rule["kind"]
            with self.quiet():
                if kind in ("nan", "inf", "overflow16") and event.when in ("after", "op", "backward"):
                    found = self._bad(kind, event)
                elif kind in ("exploding", "vanishing") and event.when == "backward":
                    found = self._steep(rule, event)
                else:
                    found = None
            if found:
                return {"reason": "exception", "filter": kind, "description": found}
        return None

    def _bad(self, kind: str, event: _Event) -> Optional[str]:
        names = [k for k, t in event.values.items() if t.is_floating_point() and (event.when != "op" or k.startswith("out"))]
        bad = [k for k in names if _is_bad(kind, event.values[k])]
        if not bad:
            return None
        told = {"nan": "NaN", "inf": "infinity"}.get(kind, "a number beyond float16 (65504)")
        where = event.path or "the model"
        if event.when == "op":
            inputs = [t for k, t in event.values.items() if k.startswith("in") and t.is_floating_point()]
            if any(_is_bad(kind, t) for t in inputs):
                return None
            return "%s first arises in %s of %s" % (told, event.op, where)
        if event.when == "backward":
            return "%s in the gradient of what %s gives" % (told, where)
        frame = next((f for f in reversed(self.local.stack) if f.path == event.path), None)
        given = {**flatten(frame.args, "in"), **flatten(frame.kwargs or {}, "kw")} if frame else {}
        if any(t.is_floating_point() and _is_bad(kind, t) for t in given.values()):
            return None
        inner = any(_is_bad(kind, k.tensor) for (path, slot), k in self.kept.items() if path.startswith(event.path + ".") and k.tensor.is_floating_point()) if event.path in self.blocks else False
        return None if inner else "%s first arises in %s" % (told, where)

    def _steep(self, rule: Json, event: _Event) -> Optional[str]:
        if event.path not in self.blocks and event.path:
            return None
        norm = float(_wide(_plain(next(iter(event.values.values())))).norm())
        bound = float(rule["bound"])
        where = event.path or "the model"
        if rule["kind"] == "exploding" and not norm <= bound:
            return "the gradient of what %s gives has norm %.4g, above %g" % (where, norm, bound)
        if rule["kind"] == "vanishing" and norm < bound:
            return "the gradient of what %s gives has norm %.4g, below %g" % (where, norm, bound)
        return None

    @contextlib.contextmanager
    def quiet(self) -> Iterator[None]:
        """The agent's own computing: no event, no gradient, no operation that is shown."""
        self.local.busy += 1
        try:
            with torch.no_grad():
                yield
        finally:
            self.local.busy -= 1

    # ---- standing

    def _stop(self, event: _Event, why: Json) -> None:
        with self.stop_lock:  # one thread stands at a time; another that comes to a point waits for its turn
            wire = self.wire
            if wire is None or not self.live:
                return
            stop = _Stop(event, why)
            self.stepping, self.pausing, self.until = None, False, None
            self.stopped = stop
            self.tell("stopped", **self.standing())
            try:
                self._stand(stop)
            finally:
                with self.lock:
                    self.stopped = None
                    if not self.live:  # nobody is there any more: not one more call goes through a hook
                        self._drop_hooks(inside=True)
                while not stop.jobs.empty():  # what came too late is answered all the same
                    stop.jobs.get()()

    def _stand(self, stop: _Stop) -> None:
        self.local.busy += 1
        try:
            while self.wire is not None:
                try:
                    job = stop.jobs.get(timeout=self.stop_timeout)
                except queue.Empty:
                    self.tell("note", text="nothing was asked for %g s: the run goes on" % (self.stop_timeout or 0))
                    return
                if job():
                    return
        finally:
            self.local.busy -= 1

    def standing(self) -> Json:
        """Where the run stands."""
        p = self.progress
        stop = self.stopped
        base: Json = {
            "pass": p.passes,
            **{"step": p.step, "past": p.past, "prompt": p.prompt, "training": p.training, "optimiser": p.optimiser},
            "tokens": [{"id": i, "text": self.text_of(i)} for i in p.ids[-100_000:]],
            "order": self.order,
            "running": stop is None,
        }
        if stop is None:
            return base
        event = stop.event
        stack = [{"path": f.path, "nth": f.nth, "type": type(f.module).__name__} for f in self.local.stack]
        if event.when in ("backward", "optimiser"):
            parts = event.path.split(".") if event.path else []
            paths = [""] + [".".join(parts[: i + 1]) for i in range(len(parts))]
            stack = [{"path": q, "nth": event.nth, "type": type(self.paths[q]).__name__} for q in paths if q in self.paths]
        return {
            **base,
            **{"when": event.when, "path": event.path, "nth": event.nth, "thread": stop.name, "why": stop.why},
            **({"op": event.op} if event.op else {}),
            "stack": stack,
            "slots": [{"name": k, "axes": self.axes_of(t), **meta(t)} for k, t in event.values.items()],
            "given": [{"name": k, "axes": self.axes_of(t), **meta(t)} for k, t in self._given(event).items()],
            "context": {
                "grad": torch.is_grad_enabled(),
                "inference": torch.is_inference_mode_enabled(),
                "autocast": torch.is_autocast_enabled(),
                "backward": in_backward(),
            },
        }

    def _given(self, event: _Event) -> Slots:
        """What the module that has run was given, its cache too."""
        frame = next((f for f in reversed(self.local.stack) if f.path == event.path), None)
        if frame is None or event.when == "before":
            return self._cache_values(event) if event.when == "before" else {}
        return {**flatten(frame.args, "in"), **flatten(frame.kwargs or {}, "kw")}

    def axes_of(self, t: Tensor) -> List[str]:
        """Names of axes, where they can be told from the sizes: batch and position of this pass, the model's width."""
        axes = ["d%d" % i for i in range(t.dim())]
        length = len(self.progress.ids) - self.progress.past
        if t.dim() >= 2 and length > 0 and t.shape[1] == length:
            axes[:2] = ["batch", "position"]
            if t.dim() == 3:
                axes[2] = "model"
        return axes

    # ---- operations inside a module

    def _enter_ops(self, frame: _Frame) -> None:
        traced = self.tracing is not None and self.tracing.ops and not self.local.modes
        if not traced and not any(fnmatch.fnmatchcase(frame.path, g) for g in self.ops):
            return
        if any(f.path == frame.path for f, _ in self.local.modes):
            return
        mode = _op_mode(self, frame)
        if mode is not None:
            mode.__enter__()
            self.local.modes.append((frame, mode))

    def _leave_ops(self, frame: _Frame) -> None:
        modes = self.local.modes
        if modes and modes[-1][0] is frame:
            modes.pop()[1].__exit__(None, None, None)

    def on_op(self, frame: _Frame, name: str, given: Tuple[Any, Any], out: Any) -> Any:
        """An operation has run. Its result may be replaced."""
        values = flatten(given[0], "in")
        flatten(given[1] or {}, "kw", values)
        flatten(out, "out", values)
        inner = self.local.stack[-1] if self.local.stack else frame
        event = _Event("op", inner.path, inner.nth, len(self.local.stack) + 1, values, op=name)
        if not any(f is frame for f in self.local.stack):
            return out
        why = self._why(event)
        if why is not None:
            self._stop(event, why)
        return replaced(out, "out", event.new) if event.new else out


    # ---- points

    def remove_points(self, ids: Iterable[int]) -> None:
        for ident in ids:
            self.points.pop(int(ident), None)
            self.met.pop(int(ident), None)
            self.seen.pop(int(ident), None)
        self.index_points()

    def index_points(self) -> None:
        places: Dict[Tuple[str, str], List[Json]] = {}
        for point in self.points.values():
            for path in point["paths"]:
                places.setdefault((str(path), str(point["when"])), []).append(point)
        self.places = places

    # ---- the connection

    def tell(self, event: str, **what: Any) -> None:
        """Tells the debugger of something, where there is one."""
        wire = self.wire
        if wire is None:
            return
        with contextlib.suppress(OSError):
            wire.send({"type": "event", "event": event, **what})

    def serve(self, sock: socket.socket) -> None:
        """One debugger, from its first message until it is gone."""
        wire = _Wire(sock)
        try:
            message, _ = wire.receive()
            if not self._greet(wire, message):
                return
            requests = _Requests(self, wire)
            while True:
                message, payload = wire.receive()
                with self.answering:
                    if not self.ending:
                        requests.take(message, payload)
        except (EOFError, OSError, ValueError):
            pass
        finally:
            with self.answering:
                if self.wire is wire and not self.ending:
                    self.release()
            wire.close()

    def _greet(self, wire: _Wire, message: Json) -> bool:
        params = message.get("params") or {}
        ident = message.get("id")

        def refuse(text: str, hint: str) -> bool:
            error = {"code": "AGENT_REFUSED", "message": text, "hint": hint}
            wire.send({"type": "error", "id": ident, "error": error})
            return False

        given = str(params.get("token", "")).encode()
        if message.get("method") != "hello" or not hmac.compare_digest(given, self.token.encode()):
            return refuse("the token is wrong", "Give the one that the process printed: --token TOKEN.")
        if params.get("protocol") != PROTOCOL:
            return refuse("the agent speaks version %d of the protocol" % PROTOCOL, "Use the same version of both.")
        if self._model is None and not _wait_for(lambda: self._model is not None, 10.0):
            return refuse("the process has called no model yet", "Try again once it has.")
        _wait_for(lambda: self.wire is None, 1.0)  # one that has just gone may not be noticed yet
        with self.lock:
            if self.wire is not None:
                return refuse("another debugger is attached", "End that session first.")
            self.wire = wire
            self.live = True
        wire.send(
            {
                **{"type": "answer", "id": ident},
                "result": {
                    **{"protocol": PROTOCOL, "agent": __version__, "pid": os.getpid(), "rank": self.rank, "world": self.world},
                    **{"torch": torch.__version__, "python": sys.version.split()[0], "cuda": torch.cuda.is_available()},
                    "script": os.path.basename(sys.argv[0]) if sys.argv else "",
                },
            }
        )
        return True

    def release(self) -> None:
        """The debugger is gone: nothing of it stays, and whatever stands goes on."""
        with self.lock:
            self.wire = None
            self.live = self.post is not None
            self.points, self.places, self.met, self.seen, self.caught = {}, {}, {}, {}, []
            self.patches, self.ops, self.until, self.stepping, self.pausing = [], [], None, None, False
            self.tracing = None
            self.logits, self.site_names = None, {}
            self.training.wanted = False
            self.undo_weights.clear()
            stop = self.stopped
        if stop is not None:
            stop.jobs.put(lambda: True)
        self.released.set()
        _wait_for(lambda: self.stopped is None, 1.0)
        self._change_hooks()

    def close(self) -> None:
        """Ends the agent: nobody can attach any more, and no hook is left."""
        for sock in (self.listener,):
            if sock is not None:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
                with contextlib.suppress(OSError):
                    sock.close()
        self.listener = None
        wire = self.wire
        self.tell("ended", text="the agent was closed")
        self.post = None
        self.release()
        if wire is not None:
            wire.close()
        for handle in self.root_handles:
            handle.remove()
        self.root_handles = []
        _agents.discard(self)

    def end_serving(self) -> None:
        """
        No more questions are answered, once the one under way is, and a debugger that goes then has nothing let go of: a
        thread that ends with the interpreter while it is inside of PyTorch, if only to free a tensor, aborts the process.
        """
        if self.answering.acquire(timeout=2.0):
            self.ending = True
            self.answering.release()

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Waits for a debugger that has set its breakpoints and lets the process go on."""
        end = None if timeout is None else time.monotonic() + timeout
        self.serving = True
        try:
            while not self.released.is_set() and (end is None or time.monotonic() < end):
                with contextlib.suppress(queue.Empty):
                    self.main_jobs.get(timeout=0.05)()
        finally:
            self.serving = False
        return self.released.is_set()

    def serve_forever(self) -> None:
        """For a process that is there to be asked: carries out captures until the program is ended."""
        self.serving = True
        while self.listener is not None or self.wire is not None:
            with contextlib.suppress(queue.Empty):
                self.main_jobs.get(timeout=0.1)()

    def on_model_thread(self, work: Callable[[], Any]) -> Any:
        """Runs work where the model is usually run: on the thread that stands, or that serves; else here."""
        done: "queue.Queue[Tuple[bool, Any]]" = queue.Queue()

        def carried_out() -> bool:
            try:
                done.put((True, work()))
            except BaseException as error:  # noqa: BLE001 - handed on to the one who asked
                done.put((False, error))
            return False

        stop = self.stopped
        if stop is not None:
            stop.jobs.put(carried_out)
        elif self.serving:
            self.main_jobs.put(lambda: (carried_out(), None)[1])
        else:
            carried_out()
        fine, result = done.get()
        if fine:
            return result
        raise result

    # ---- for the program that the agent is in

    def log(self, **values: Any) -> None:
        """Tells the agent what it cannot see by itself: `log(loss=loss)`."""
        loss = values.get("loss")
        if isinstance(loss, Tensor):
            self.training.loss_tensor = loss.detach()
        elif loss is not None:
            self.last_loss = float(loss)

    def sites(self) -> List[str]:
        """All values that can be asked for by name: what each module gives (PATH) and takes (PATH.in)."""
        return [name for path in self.paths for name in (site_name(path, "out"), site_name(path, "in.0"))]

    def capture(self, ids: Any, sites: Sequence[str], *, edited: bool = False) -> Dict[str, Tensor]:
        """
        Runs a prompt once, and gives these values: copies, as the modules had them. The model is in eval mode meanwhile.

        ids: one sequence or several of equal length; what the model takes by `model(input_ids=...)`, or by the
        `forward` that the agent was given. sites: names as in `sites()`, or patterns of them (`h.*.mlp`).
        edited: with the changes that a debugger made. Raises Problem SITE_UNKNOWN.
        """
        refs: Dict[str, Json] = {}
        names = self.sites()
        for site in sites:
            found = [n for n in names if fnmatch.fnmatchcase(n, site)] or [site]
            for name in found:
                path, slot = slot_of(name, self.paths)
                refs[name] = {"path": path, "slot": slot}
        result = self.capture_refs(ids, refs, {"edited": edited})
        named = [name for name in result["missing"] if name in sites]
        if named:
            raise Problem("%s was not computed in this pass" % named[0], "SITE_NOT_CAPTURED", "Its module was not called.")
        return dict(result["values"])

    def capture_refs(self, ids: Any, refs: Dict[str, Json], options: Json) -> Json:
        """The values that references name, of one pass over ids, made by hooks of its own. Options: see `_OwnPass`."""
        own = _OwnPass(self, refs, options)
        own.run(ids)
        values = {name: own.found.get((str(r["path"]), str(r["slot"]))) for name, r in refs.items()}
        with torch.no_grad():
            there = {n: _viewed(t.detach(), refs[n].get("view")) for n, t in values.items() if t is not None}
            for name, gradient in own.gradients.items():
                there["grad(%s)" % name] = gradient
        as_float = {n: t.contiguous() if t.dtype == torch.float64 or not t.is_floating_point() else t.float().contiguous() for n, t in there.items()}
        return {"values": as_float, "missing": [n for n, t in values.items() if t is None], "scalars": own.scalars}

    def _run(self, ids: Any, options: Json) -> Any:
        model = self.model
        device = next((p.device for p in model.parameters()), torch.device("cpu"))
        rows = ids.tolist() if isinstance(ids, Tensor) else ids
        rows = rows if rows and isinstance(rows[0], (list, tuple)) else [rows]
        tensor = torch.tensor(rows, dtype=torch.long, device=device)
        if self.forward is not None:
            return self.forward(tensor)
        more: Json = {"use_cache": False}
        if options.get("attentions") and getattr(getattr(model, "config", None), "_attn_implementation", "") == "eager":
            more["output_attentions"] = True  # some attentions give their patterns only then
        if getattr(getattr(model, "config", None), "is_encoder_decoder", False):
            target = options.get("targetIds") or [getattr(model.config, "decoder_start_token_id", 0) or 0]
            each = target if isinstance(target[0], (list, tuple)) else [list(target)] * len(rows)
            decoder = torch.tensor(each, dtype=torch.long, device=device)
            return model(input_ids=tensor, decoder_input_ids=decoder, **more)
        if not hasattr(model, "config"):
            return model(tensor)
        for left_out in ((), ("use_cache",)):  # what a model does not take, as encoders have no cache
            with contextlib.suppress(TypeError):
                return model(input_ids=tensor, **{k: v for k, v in more.items() if k not in left_out})
        return model(input_ids=tensor)


class _OwnPass:
    """
    A pass that is run for its values alone, with hooks of its own: the model is in eval mode meanwhile, and everything
    is left as it was. Options: `changes`, as those of `patches`, each maybe for one `row` of the batch alone; `of`, a
    tree for each sequence, of which `scalars` come, and `logits`, where their scores are; `gradients`, the names of
    values by which those scalars are differentiated, as what follows reads them.
    """

    def __init__(self, agent: "Agent", refs: Dict[str, Json], options: Json) -> None:
        self.agent, self.refs, self.options = agent, refs, options
        self.trees: List[Json] = list(options.get("of") or [])
        self.logits: Json = options.get("logits") or {}
        self.back = [str(name) for name in options.get("gradients") or []]
        self.found: Dict[Tuple[str, str], Tensor] = {}
        self.nodes: Dict[Tuple[str, str], Tensor] = {}
        self.scalars: List[float] = []
        self.gradients: Slots = {}
        self.changes: Dict[Tuple[str, str], List[Json]] = {}
        self.wanted: Dict[str, set] = {}
        read = [*refs.values(), *([self.logits] if self.trees and self.logits else [])]
        for tree in self.trees:
            read.extend(_refs_in(tree))
        for ref in read:
            self.wanted.setdefault(self._path(ref), set()).add(str(ref["slot"]))
        for rule in options.get("changes") or []:
            self.changes.setdefault((self._path(rule), str(rule["when"])), []).append(rule)

    def _path(self, ref: Json) -> str:
        path = str(ref["path"])
        if path not in self.agent.paths:
            raise Problem("there is no module %s" % path, "SITE_UNKNOWN", "The listing names all.")
        return path

    def _key(self, name: str) -> Tuple[str, str]:
        return (str(self.refs[name]["path"]), str(self.refs[name]["slot"]))

    def _at(self, path: str, when: str, values: Slots, given: Slots) -> Slots:
        """Changes and keeps what passes here. @returns what is to be put in place of what was there"""
        agent, new = self.agent, {}  # type: Tuple[Agent, Slots]
        for rule in self.changes.get((path, when), ()):
            slot = "out" if rule["act"] == "skip" else str(rule["slot"])
            name = agent._slot(slot, values)
            if name is None:
                raise Problem("%s of %s is not there to be changed" % (slot, path or "the model"), "SITE_NOT_CAPTURED", "Choose another site.")
            if name not in new:
                values[name] = new[name] = values[name].clone()
            made = new[name]
            same = next((t for t in given.values() if t.shape == made.shape and t.dtype == made.dtype), None)
            for row in [int(rule["row"])] if "row" in rule else range(made.shape[0]):
                if rule["act"] == "skip":
                    made[row] = 0 if same is None else same[row]
                    continue
                agent._write(made[row : row + 1], rule, _OwnMoment(agent, self, row, self.ids[row]))
        for slot in self.wanted.get(path, ()):
            name = agent._slot(slot, values)
            if name is None:
                continue
            t = values[name]
            if any(self._key(n) == (path, slot) for n in self.back):
                t = t if t.requires_grad else t.detach().requires_grad_()
                self.nodes[(path, slot)] = t
                values[name] = new[name] = t.clone()  # what follows may change it in place
            self.found[(path, slot)] = t.clone() if self.back else t.detach().clone()
        return new

    def run(self, ids: Any) -> None:
        agent, model = self.agent, self.agent.model
        rows = ids.tolist() if isinstance(ids, Tensor) else ids
        given = self.options.get("targetIds") or rows
        each = given if given and isinstance(given[0], (list, tuple)) else [given]
        self.ids: List[List[int]] = [list(e) for e in each] * (len(rows) if len(each) == 1 else 1)
        here = threading.get_ident()

        def before(path: str) -> Callable[..., Any]:
            def hook(module: nn.Module, args: Any, kwargs: Optional[Json] = None) -> Any:
                if threading.get_ident() != here:
                    return None
                new = self._at(path, "before", _given(args, kwargs), {})
                if not new:
                    return None
                args = replaced(args, "in", new)
                return args if kwargs is None else (args, {k: replaced(v, "kw." + k, new) for k, v in kwargs.items()})

            return hook

        def after(path: str) -> Callable[..., Any]:
            def hook(module: nn.Module, args: Any, *rest: Any) -> Any:
                if threading.get_ident() != here:
                    return None
                out, kwargs = rest[-1], rest[0] if len(rest) > 1 else None
                new = self._at(path, "after", flatten(out, "out"), _given(args, kwargs))
                return replaced(out, "out", new) if new else None

            return hook

        handles: List[Any] = []
        modes = [(m, m.training) for m in model.modules()]
        passes = agent.progress.passes
        cuda = list(range(torch.cuda.device_count())) if torch.cuda.is_available() and torch.cuda.is_initialized() else []
        agent.local.busy += 1
        agent._force_eager()
        try:
            for path in {*self.wanted, *(path for path, _ in self.changes)}:
                module = agent.paths[path]
                more = {"with_kwargs": True} if _HAS_KWARGS else {}
                handles.append(module.register_forward_pre_hook(before(path), **more))
                handles.append(module.register_forward_hook(after(path), **more))
            model.eval()
            asked = any(slots & {"out.1", "out.2"} for slots in self.wanted.values())
            with torch.random.fork_rng(devices=cuda), torch.inference_mode(False), torch.set_grad_enabled(bool(self.back)):
                agent._run(ids, {**self.options, "attentions": asked})
                self._compute()
        finally:
            agent.local.busy -= 1
            for m, training in modes:
                m.training = training
            for handle in handles:
                handle.remove()
            agent.progress.passes = passes
            if not agent.active:
                agent._release_eager()

    def _compute(self) -> None:
        """The scalars, and the way back from their sum: sequences do not depend on each other."""
        made = [Derivable(_OwnMoment(self.agent, self, i, self.ids[i])).scalar(tree) for i, tree in enumerate(self.trees)]
        self.scalars = [float(x.detach()) for x in made]
        if not self.back:
            return
        total = sum((x for x in made if x.requires_grad), torch.zeros(()))
        nodes = [self.nodes[self._key(name)] for name in self.back if self._key(name) in self.nodes]
        if not total.requires_grad or len(nodes) < len(self.back):
            raise Problem("there is no gradient: the number depends smoothly on none of these values", "GRADIENT_UNDEFINED", "Use logit, prob or logprob.")
        found = torch.autograd.grad(total, nodes, allow_unused=True)
        for name, node, gradient in zip(self.back, nodes, found):
            own = torch.zeros_like(node) if gradient is None else gradient
            self.gradients[name] = _viewed(own.detach(), self.refs[name].get("view"))


def _given(args: Any, kwargs: Optional[Json]) -> Slots:
    """What a module takes, without caches."""
    values = flatten(args, "in")
    for k, v in (kwargs or {}).items():
        if not k.startswith("past"):
            flatten(v, "kw." + k, values)
    return values


def _refs_in(tree: Any) -> Iterator[Json]:
    """The values that an expression reads."""
    if isinstance(tree, dict):
        if tree.get("kind") == "site":
            yield tree["ref"]
        for part in tree.values():
            yield from _refs_in(part)


class _GradientHook:
    """On a tensor that a module gave. It outlives the debugger, and does nothing then."""

    __slots__ = ("agent", "path", "slot", "nth")

    def __init__(self, agent: Agent, path: str, slot: str, nth: int) -> None:
        self.agent, self.path, self.slot, self.nth = agent, path, slot, nth

    def __call__(self, gradient: Tensor) -> Optional[Tensor]:
        return self.agent.on_gradient(self.path, self.slot, self.nth, gradient)


def _is_last(handle: Any) -> bool:
    """Whether no hook comes behind this one: then it can be taken away even while PyTorch goes through them."""
    hooks = getattr(handle, "hooks_dict_ref", dict)()
    return not hooks or bool(next(reversed(hooks)) == handle.id)


def _viewed(t: Tensor, view: Optional[Json]) -> Tensor:
    """A part of the last axis, cut into heads: how a site lies in what a module gives."""
    if not view:
        return t
    if "swap" in view:
        t = t.transpose(int(view["swap"][0]), int(view["swap"][1]))
    if "part" in view:
        start, stop = view["part"]
        t = t[..., int(start) : int(stop)]
    if "split" in view and t.dim() < int(view.get("rank", t.dim() + 1)):
        t = t.unflatten(-1, [int(n) for n in view["split"]])
    if "take" in view:
        axis, chosen = view["take"]
        t = t.index_select(int(axis), torch.tensor([int(i) for i in chosen], dtype=torch.long, device=t.device))
    return t


def _is_bad(kind: str, t: Tensor) -> bool:
    t = _local(t).detach()
    if not t.numel() or t.device.type == "meta":
        return False
    if kind == "nan":
        return bool(torch.isnan(t).any())
    if kind == "inf":
        return bool(torch.isinf(t).any())
    size = t.abs().float()
    return bool(((size > _FLOAT16_MAX) & (size < _MASKED)).any())


def _error_in(module: nn.Module) -> Optional[BaseException]:
    """The exception that a module's call ends with, where its hook is called because of one."""
    _, error, trace = sys.exc_info()
    if error is None or trace is None:
        return None
    frame = trace.tb_frame
    is_call = frame.f_code.co_name in ("_call_impl", "inner") and frame.f_locals.get("self") is module
    return error if is_call else None


def _blocks_of(model: nn.Module) -> Dict[str, int]:
    """The layers: members of lists of modules that are all of one type, by path, with their number. Lists of modules
    that have modules in them come first: of a network of bare matrices those are the layers."""
    all_lists = [
        (path, m)
        for path, m in model.named_modules()
        if isinstance(m, (nn.ModuleList, nn.Sequential)) and len(m) > 1 and len({type(c) for c in m}) == 1
    ]
    lists = [(p, m) for p, m in all_lists if any(True for _ in next(iter(m)).children())] or all_lists
    outer = [(p, m) for p, m in lists if not any(p.startswith(q + ".") for q, _ in lists if q != p)]
    return {("%s.%d" % (p, i) if p else str(i)): i for p, m in outer for i in range(len(m))}


def _op_mode(agent: Agent, frame: _Frame) -> Any:
    try:
        from torch.utils._python_dispatch import TorchDispatchMode
    except ImportError:
        return None

    class OpMode(TorchDispatchMode):
        """Sees every operation below autograd while a module runs."""

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            start = time.perf_counter_ns()
            out = func(*args, **(kwargs or {}))
            if agent.local.busy or not agent.live:
                return out
            name = str(func)
            if agent.tracing is not None:
                agent.tracing.op(name, start, (args, kwargs), out)
            return agent.on_op(frame, name, (args, kwargs), out) if agent.active else out

    return OpMode()


# ---------------------------------------------------------------------------------------------------------------
# Training: loss, learning rate and gradients by step
# ---------------------------------------------------------------------------------------------------------------


class _Training:
    """What is known of a training loop. A step is one of the optimiser's."""

    MOST_STEPS = 10_000
    SAMPLED = 256  # numbers of each parameter's gradient, at fixed places, from which noise is told

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.wanted = False
        self.steps: "collections.deque[Json]" = collections.deque(maxlen=self.MOST_STEPS)
        self.samples: "collections.deque[Tensor]" = collections.deque(maxlen=16)
        self.loss_tensor: Optional[Tensor] = None
        self.handles: List[Any] = []
        self.backward: Any = None

    def install(self) -> None:
        """Hooks on the optimiser, and on `Tensor.backward`, from which the loss is known."""
        if self.handles:
            return
        optimizer = self.agent.optimizer
        if optimizer is not None and hasattr(optimizer, "register_step_pre_hook"):
            self.handles = [
                optimizer.register_step_pre_hook(lambda o, a, k: self.before(o)),
                optimizer.register_step_post_hook(lambda o, a, k: self.after(o)),
            ]
        else:
            module = importlib.import_module("torch.optim.optimizer")
            before = getattr(module, "register_optimizer_step_pre_hook", None)
            after = getattr(module, "register_optimizer_step_post_hook", None)
            if before is not None and after is not None:
                self.handles = [before(lambda o, a, k: self.before(o)), after(lambda o, a, k: self.after(o))]
            elif optimizer is not None:
                self.handles = [_Wrapped(optimizer, self)]
        self._watch_backward()

    def remove(self, inside: bool = False) -> None:
        kept = [h for h in self.handles if inside and not _is_last(h)]
        for handle in self.handles:
            if handle not in kept:
                handle.remove()
        self.handles = kept
        if self.backward is not None:
            Tensor.backward = self.backward  # type: ignore[method-assign]
            self.backward = None

    def _watch_backward(self) -> None:
        if self.backward is not None:
            return
        original = self.backward = Tensor.backward
        weak = weakref.ref(self)

        def backward(loss: Tensor, *args: Any, **kwargs: Any) -> Any:
            training = weak()
            if training is not None and loss.numel() == 1 and not training.agent.local.busy:
                training.loss_tensor = loss.detach()
            return original(loss, *args, **kwargs)

        Tensor.backward = backward  # type: ignore[method-assign,assignment]

    def _is_ours(self, optimizer: Any) -> bool:
        if self.agent._model is None:
            return False
        ours = {id(p) for p in self.agent.model.parameters()}
        return any(id(p) in ours for g in optimizer.param_groups for p in g["params"])

    def norms(self) -> Dict[str, float]:
        """The norm of the gradient of each layer's parameters; of what is in no layer, of its first module."""
        sums: Dict[str, List[Tensor]] = {}
        for name, p in self.agent.model.named_parameters():
            if p.grad is None:
                continue
            path = name.rpartition(".")[0]
            block = path
            while block and block not in self.agent.blocks:
                block = block.rpartition(".")[0]
            sums.setdefault(block or path or name, []).append(_wide(_plain(p.grad)).norm())
        return {k: float(torch.stack([v.cpu() for v in vs]).norm()) for k, vs in sums.items()}

    def _sample(self) -> Optional[Tensor]:
        parts = []
        for p in self.agent.model.parameters():
            if p.grad is None:
                continue
            flat = _plain(p.grad).reshape(-1)
            stride = max(1, flat.numel() // self.SAMPLED)
            parts.append(flat[::stride][: self.SAMPLED].float().cpu())
        return torch.cat(parts) if parts else None

    def before(self, optimizer: Any) -> None:
        agent = self.agent
        if not agent.live or agent.local.busy or not self._is_ours(optimizer):
            return
        with agent.quiet():
            norms = self.norms()
            sample = self._sample()
        if sample is not None and (not self.samples or self.samples[-1].shape == sample.shape):
            self.samples.append(sample)
        total = math.sqrt(sum(n * n for n in norms.values()))
        step = {
            "step": agent.progress.optimiser,
            "loss": agent.loss_now(),
            "lr": [float(g.get("lr", math.nan)) for g in optimizer.param_groups],
            **{"gradNorm": total, "layers": norms, "noise": self.noise()},
        }
        self.steps.append(step)
        why = self._caught(step)
        event = _Event("optimiser", "", agent.progress.optimiser, 1, {})
        points = agent.places.get(("", "optimiser"))
        if why is None and points:
            why = agent._point_at(points, event)
        if why is None:
            why = agent._motion_at(event) if agent.pausing else None
        if why is not None:
            agent._stop(event, why)

    def after(self, optimizer: Any) -> None:
        if self._is_ours(optimizer):
            self.agent.progress.optimiser += 1

    def noise(self) -> Optional[float]:
        """Variance of the sampled gradient over the last steps by the square of its mean: above 1, noise is the larger."""
        if len(self.samples) < 4:
            return None
        g = torch.stack(list(self.samples)).double()
        n = g.shape[0]
        spread = float(g.var(0, unbiased=True).sum())
        signal = float((g.mean(0) ** 2).sum()) - spread / n  # the mean's own noise is taken off
        return spread / signal if signal > 0 else math.inf

    def _caught(self, step: Json) -> Optional[Json]:
        for rule in self.agent.caught:
            kind, bound = rule["kind"], float(rule.get("bound", 0))
            for layer, norm in step["layers"].items():
                if kind == "exploding" and not norm <= bound:
                    return _exception(kind, "the gradient of %s has norm %.4g, above %g" % (layer, norm, bound))
                if kind == "vanishing" and norm < bound:
                    return _exception(kind, "the gradient of %s has norm %.4g, below %g" % (layer, norm, bound))
                if kind == "nan" and math.isnan(norm):
                    return _exception(kind, "NaN in the gradient of %s" % layer)
        return None


def _exception(kind: str, description: str) -> Json:
    return {"reason": "exception", "filter": kind, "description": description}


class _Wrapped:
    """`optimizer.step` with the agent around it, for versions of PyTorch whose optimisers have no hooks."""

    def __init__(self, optimizer: Any, training: _Training) -> None:
        self.optimizer = optimizer
        original = optimizer.step

        def step(*args: Any, **kwargs: Any) -> Any:
            training.before(optimizer)
            result = original(*args, **kwargs)
            training.after(optimizer)
            return result

        optimizer.step = step

    def remove(self) -> None:
        with contextlib.suppress(AttributeError):
            del self.optimizer.step


# ---------------------------------------------------------------------------------------------------------------
# Time and memory, as a Chrome trace
# ---------------------------------------------------------------------------------------------------------------


class _Trace:
    """Calls of modules, and on request of operations, with times, shapes and bytes."""

    MOST = 500_000

    def __init__(self, agent: Agent, ops: bool) -> None:
        self.agent = agent
        self.ops = ops
        self.events: List[Json] = []
        self.left_out = 0
        self.op_bytes: List[int] = []
        self.cuda = torch.cuda.is_available()

    def enter(self, frame: _Frame) -> None:
        frame.memory = torch.cuda.memory_allocated() if self.cuda else 0
        self.op_bytes.append(0)
        frame.start = time.perf_counter_ns()

    def leave(self, frame: _Frame, out: Any) -> None:
        end = time.perf_counter_ns()
        if frame.start == 0:
            return
        made = self.op_bytes.pop() if self.op_bytes else 0
        if self.op_bytes:
            self.op_bytes[-1] += made
        allocated = torch.cuda.memory_allocated() - frame.memory if self.cuda else made
        known = self.cuda or self.ops
        args = {
            **{"call": frame.nth, "pass": self.agent.progress.passes, "step": self.agent.progress.step},
            **{"type": type(frame.module).__name__, "recompute": frame.recompute},
            "in": {k: list(t.shape) for k, t in flatten(frame.args, "in").items()},
            "out": {k: list(t.shape) for k, t in flatten(out, "out").items()},
            **({"bytesAllocated": allocated} if known else {}),
        }
        self._add(frame.path or type(frame.module).__name__, "module", (frame.start, end), args)

    def op(self, name: str, start: int, given: Tuple[Any, Any], out: Any) -> None:
        end = time.perf_counter_ns()
        inputs = flatten(given[0], "in")
        held = {_storage(t) for t in inputs.values()}
        made = sum(t.numel() * t.element_size() for t in flatten(out, "out").values() if _storage(t) not in held)
        if self.op_bytes:
            self.op_bytes[-1] += made
        args = {
            "in": {k: list(t.shape) for k, t in inputs.items()},
            "out": {k: list(t.shape) for k, t in flatten(out, "out").items()},
            "bytesAllocated": made,
        }
        self._add(name, "op", (start, end), args)

    def _add(self, name: str, category: str, times: Tuple[int, int], args: Json) -> None:
        if len(self.events) >= self.MOST:
            self.left_out += 1
            return
        self.events.append(
            {
                **{"ph": "X", "name": name, "cat": category, "pid": self.agent.rank, "tid": threading.get_ident()},
                **{"ts": times[0] / 1000, "dur": (times[1] - times[0]) / 1000, "args": args},
            }
        )

    def document(self) -> Json:
        """The trace in the format that chrome://tracing and Perfetto read."""
        names = [{"ph": "M", "name": "process_name", "pid": self.agent.rank, "args": {"name": "rank %d" % self.agent.rank}}]
        other = {"torch": torch.__version__, "leftOut": self.left_out, "memory": "cuda allocator" if self.cuda else "results of operations"}
        return {"traceEvents": names + self.events, "displayTimeUnit": "ms", "otherData": other}


def _piece(tokenizer: Any, token: int) -> Optional[str]:
    """A token as the vocabulary spells it, where that can be asked for."""
    for name in ("convert_ids_to_tokens", "id_to_token"):
        if hasattr(tokenizer, name):
            with contextlib.suppress(Exception):
                return str(getattr(tokenizer, name)(token))
    return None


def _storage(t: Tensor) -> int:
    with contextlib.suppress(Exception):
        storage = t.untyped_storage() if hasattr(t, "untyped_storage") else t.storage()
        return int(storage.data_ptr())
    return 0


# ---------------------------------------------------------------------------------------------------------------
# Post-mortem: a recording when something went wrong, with no debugger there
# ---------------------------------------------------------------------------------------------------------------

_SAFETENSORS = {
    torch.float32: "F32",
    torch.float64: "F64",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.uint8: "U8",
    torch.int8: "I8",
    torch.bool: "BOOL",
}


def safetensors_bytes(tensors: Dict[str, Tensor]) -> bytes:
    """A safetensors file: the header's length, the header, the numbers one behind the other."""
    header: Json = {}
    parts: List[bytes] = []
    at = 0
    for name, t in tensors.items():
        data = raw_bytes(t)
        header[name] = {"dtype": _SAFETENSORS[t.dtype], "shape": list(t.shape), "data_offsets": [at, at + len(data)]}
        parts.append(data)
        at += len(data)
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    return struct.pack("<Q", len(head)) + head + b"".join(parts)


def write_recording(path: str, agent: Agent, values: Dict[str, Tensor], notes: Sequence[str]) -> None:
    """A recording of this pass, as docs/recordings.md has it. Written beside its place, then renamed."""
    step = agent.progress.step
    axes = {3: ["batch", "position", "model"]}
    floats = {k: t.detach().float() if t.is_floating_point() else t.detach().long() for k, t in values.items()}
    part = safetensors_bytes({"%s@%d" % (k, step): t for k, t in floats.items()})
    sites = []
    for name, t in floats.items():
        known = (agent.site_names.get(name) or {}).get("axes")
        own = known if known and len(known) == t.dim() else axes.get(t.dim(), ["d%d" % i for i in range(t.dim())])
        sites.append(
            {
                **{"name": name, "step": step, "axes": own, "shape": list(t.shape)},
                **{"part": "parts/00000.safetensors", "tensor": "%s@%d" % (name, step), "crc32": zlib.crc32(raw_bytes(t))},
            }
        )
    p = agent.progress
    manifest = {
        **{"recording": 1, "writer": {"name": "cutaway-agent", "version": __version__}},
        **{"date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "verb": "debug", "complete": True, "redacted": False},
        "model": {"name": type(agent.model).__name__, "summary": summary_of(agent)},
        "engine": {"device": str(next(agent.model.parameters()).device), "engine": "torch %s" % torch.__version__},
        "prompt": {"length": p.prompt, "tokens": [{"id": i, "text": agent.text_of(i)} for i in p.ids]},
        "steps": [{"step": step}],
        **{"sites": sites, "notes": list(notes), "stop": "none"},
    }
    beside = "%s.%d.partial" % (path, os.getpid())
    with zipfile.ZipFile(beside, "w", zipfile.ZIP_STORED, allowZip64=True) as file:
        file.writestr("parts/00000.safetensors", part)
        file.writestr("manifest.json", json.dumps(_jsonable(manifest), allow_nan=False))
    os.replace(beside, path)


def summary_of(agent: Agent) -> Json:
    """The model in brief. What a live process does not say is 0."""
    config = _config_of(agent.model)

    def number(*names: str) -> int:
        return next((config[n] for n in names if isinstance(config.get(n), int)), 0)

    return {
        "family": str(config.get("model_type") or type(agent.model).__name__),
        "layers": number("num_hidden_layers", "n_layer") or len(agent.blocks),
        "heads": number("num_attention_heads", "n_head"),
        "modelDim": number("hidden_size", "n_embd", "d_model"),
        "vocab": number("vocab_size"),
        "parameters": sum(p.numel() for p in agent.model.parameters()),
        "fingerprint": "live",
    }


def _config_of(model: nn.Module) -> Json:
    config = getattr(model, "config", None)
    with contextlib.suppress(Exception):
        for method in ("to_diff_dict", "to_dict"):
            if hasattr(config, method):
                return dict(_jsonable(getattr(config, method)()))
    return {}


class _PostMortem:
    """Looks at each pass, and writes a recording of the first that went wrong."""

    def __init__(
        self,
        agent: Agent,
        path: str,
        *,
        nan: bool = True,
        error: bool = True,
        loss_above: Optional[float] = None,
        loss_spike: Optional[float] = None,
        sites: Sequence[str] = ("*",),
        most: int = 1,
    ) -> None:
        self.agent = agent
        self.path = path
        self.nan = nan
        self.error = error
        self.loss_above = loss_above
        self.loss_spike = loss_spike
        self.sites = tuple(sites)
        self.left = most
        self.losses: "collections.deque[float]" = collections.deque(maxlen=50)
        self.written: List[str] = []

    def at_end(self, out: Slots) -> None:
        why = self._wrong(out)
        if why is not None:
            self.write(why)

    def on_error(self, error: BaseException, frame: _Frame) -> None:
        if self.error:
            self.write("%s: %s, in %s" % (type(error).__name__, error, frame.path or "the model"))

    def _wrong(self, out: Slots) -> Optional[str]:
        with self.agent.quiet():
            if self.nan:
                bad = [k for k, t in out.items() if t.is_floating_point() and (_is_bad("nan", t) or _is_bad("inf", t))]
                if bad:
                    return "NaN or infinity in %s; %s" % (bad[0], self._first_bad())
            loss = self.agent.loss_now()
        if loss is None:
            return None
        usual = sorted(self.losses)[len(self.losses) // 2] if len(self.losses) >= 5 else None
        self.losses.append(loss)
        if self.loss_above is not None and not loss <= self.loss_above:
            return "the loss is %.6g, above %g" % (loss, self.loss_above)
        if self.loss_spike is not None and usual is not None and not loss <= usual * self.loss_spike:
            return "the loss is %.6g, more than %g times the median of those before, %.6g" % (loss, self.loss_spike, usual)
        return None

    def _first_bad(self) -> str:
        for (path, slot), kept in self.agent.kept.items():
            t = kept.tensor
            if slot.startswith("out") and t.is_floating_point() and (_is_bad("nan", t) or _is_bad("inf", t)):
                return "it first arises in %s" % (path or "the model")
        return "where it first arises was not kept"

    def write(self, why: str) -> None:
        if self.left <= 0:
            return
        self.left -= 1
        agent = self.agent
        values: Dict[str, Tensor] = {}
        changed = 0
        with agent.quiet():
            for (path, slot), kept in agent.kept.items():
                name = site_name(path, slot)
                if _version(kept.tensor) != kept.version:
                    changed += 1
                elif any(fnmatch.fnmatchcase(name, g) for g in self.sites) and kept.tensor.dtype in _SAFETENSORS:
                    values[name] = kept.tensor
            notes = [why] + (["%d values were changed in place since, and are left out" % changed] if changed else [])
            number = len(self.written)
            path = self.path if number == 0 else "%s.%d" % (self.path, number)
            try:
                write_recording(path, agent, values, notes)
            except Exception as error:  # noqa: BLE001 - a recording that fails must not end the training
                print("cutaway: the recording could not be written: %s" % error, file=sys.stderr)
                return
        self.written.append(path)
        print("cutaway: %s: wrote %s" % (why, path), file=sys.stderr)
        if self.left == 0:
            agent.post = None
            agent.live = agent.wire is not None
            agent._change_hooks()


def site_name(path: str, slot: str) -> str:
    """What a value is called: a module's path stands for what it gives, `PATH.in` for what it takes."""
    base = path if path[:1].isalpha() or path[:1] == "_" else "root." + path if path else "root"
    if slot in ("out", "out.0"):
        return base
    return base + ".in" if slot == "in.0" else "%s.%s" % (base, slot)


def slot_of(name: str, paths: Dict[str, nn.Module]) -> Tuple[str, str]:
    """The module and the slot of such a name. @raises Problem SITE_UNKNOWN"""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        path = ".".join(parts[:end])
        if path not in paths and parts[0] == "root":
            path = ".".join(parts[1:end])
        if path not in paths:
            continue
        rest = ".".join(parts[end:])
        return path, {"": "out", "in": "in.0"}.get(rest, rest)
    raise Problem("no value is named %s" % name, "SITE_UNKNOWN", "Write a module's path, PATH.in, or PATH.out.1.")


# ---------------------------------------------------------------------------------------------------------------
# What a debugger asks
# ---------------------------------------------------------------------------------------------------------------


class _Requests:
    """The methods of the protocol. What looks at tensors runs on the thread that stands, where one does."""

    def __init__(self, agent: Agent, wire: _Wire) -> None:
        self.agent = agent
        self.wire = wire

    def take(self, message: Json, payload: bytes) -> None:
        """Answers one request, here or on the thread that stands."""
        ident, method = message.get("id"), str(message.get("method"))
        params = message.get("params") or {}
        direct = getattr(self, "do_" + method, None)
        if direct is not None:
            self._answer(ident, lambda: direct(params, payload))
            return
        there = getattr(self, "at_" + method, None)
        if there is None:
            self._refuse(ident, Problem("the agent knows no %s" % method, "MESSAGE_INVALID", "Both must be of one version."))
            return
        agent = self.agent

        def job() -> bool:
            return self._answer(ident, lambda: there(params, payload)) == "go"

        with agent.lock:
            stop = agent.stopped
            if stop is not None:
                stop.jobs.put(job)
        if stop is not None:
            return
        if method in ("resume", "again"):
            self._answer(ident, lambda: self._go_on(params))
        else:
            with agent.quiet():
                job()

    def _go_on(self, params: Json) -> _Answer:
        """To go on while nothing stands: a process that waits for a debugger begins."""
        self.agent.released.set()
        self.agent.until = None
        if params.get("by") in ("in", "token", "layer", "over", "out"):
            self.agent.pausing = True
            self.agent._change_hooks()
        return _Answer({"running": True})

    def _answer(self, ident: Any, work: Callable[[], Any]) -> Optional[str]:
        try:
            result = work()
        except Problem as error:
            self._refuse(ident, error)
            return None
        except Exception as error:  # noqa: BLE001 - told to the debugger, never thrown into the model
            trace = traceback.format_exc(limit=-1).strip().splitlines()
            self._refuse(ident, Problem("%s: %s" % (type(error).__name__, error), "ENGINE_FAILED", trace[0] if trace else ""))
            return None
        if result == "go":
            self._send({"type": "answer", "id": ident, "result": {"running": True}})
            return "go"
        answer = result if isinstance(result, _Answer) else _Answer(result or {})
        self._send({"type": "answer", "id": ident, "result": answer.result}, answer.payload)
        return None

    def _refuse(self, ident: Any, error: Problem) -> None:
        info = {"code": error.code, "message": str(error), "hint": error.hint or "Look at the listing."}
        self._send({"type": "error", "id": ident, "error": info})

    def _send(self, message: Json, payload: bytes = b"") -> None:
        with contextlib.suppress(OSError):
            self.wire.send(message, payload)

    # ---- what is asked of the process

    def do_describe(self, params: Json, payload: bytes) -> Json:
        return describe(self.agent)

    def do_configure(self, params: Json, payload: bytes) -> Json:
        self.agent.logits = params.get("logits")
        self.agent.site_names = params.get("sites") or {}
        if "keep" in params:
            self.agent.keeps = bool(params["keep"])
        return {}

    def do_points(self, params: Json, payload: bytes) -> Json:
        agent = self.agent
        with agent.lock:
            agent.remove_points(params.get("remove") or [])
            for point in params.get("set") or []:
                agent.points[int(point["id"])] = point
                agent.seen.pop(int(point["id"]), None)
            agent.index_points()
            if params.get("caught") is not None:
                agent.caught = params["caught"]
        agent._change_hooks()
        return {"met": {str(k): v for k, v in agent.met.items()}}

    def do_met(self, params: Json, payload: bytes) -> Json:
        return {"met": {str(k): v for k, v in self.agent.met.items()}}

    def do_pause(self, params: Json, payload: bytes) -> Json:
        self.agent.pausing = bool(params.get("on", True)) and self.agent.stopped is None
        self.agent._change_hooks()
        return {}

    def do_until(self, params: Json, payload: bytes) -> Json:
        if self.agent.stopped is None:  # one that stands is told with `resume`
            self.agent.until = params.get("place")
        self.agent._change_hooks()
        return {}

    def do_ops(self, params: Json, payload: bytes) -> Json:
        if params["paths"] and not _HAS_KWARGS:
            raise Problem("operations are seen from PyTorch 2.0 on", hint="Step by modules.")
        self.agent.ops = [str(p) for p in params["paths"]]
        self.agent._change_hooks()
        return {}

    def do_training(self, params: Json, payload: bytes) -> Json:
        training = self.agent.training
        if "on" in params:
            training.wanted = bool(params["on"])
            self.agent._change_hooks()
        last = int(params.get("last", 1000))
        return {"steps": list(training.steps)[-last:], "optimiser": self.agent.progress.optimiser}

    def do_trace(self, params: Json, payload: bytes) -> _Answer:
        agent = self.agent
        if params["on"]:
            agent.tracing = _Trace(agent, bool(params.get("ops")) and _HAS_KWARGS)
            agent._change_hooks()
            return _Answer({})
        tracing, agent.tracing = agent.tracing, None
        agent._change_hooks()
        if tracing is None:
            raise Problem("nothing is traced", hint="Begin with trace on.")
        return _Answer({"events": len(tracing.events)}, json.dumps(_jsonable(tracing.document())).encode())

    def do_encode(self, params: Json, payload: bytes) -> Json:
        tokenizer = self.agent.tokenizer
        if tokenizer is None:
            raise Problem("the agent was given no tokenizer", "TOKENIZER_MISSING", "Give one, listen(model, tokenizer=...), or write ids.")
        try:
            ids = tokenizer.encode(params["text"], add_special_tokens=bool(params.get("special")))
        except TypeError:
            ids = tokenizer.encode(params["text"])
        ids = [int(i) for i in getattr(ids, "ids", ids)]
        return {"ids": ids, "texts": [self.agent.text_of(i) for i in ids]}

    def do_decode(self, params: Json, payload: bytes) -> Json:
        return {"texts": [self.agent.text_of(int(i)) for i in params["ids"]]}

    def do_vocabulary(self, params: Json, payload: bytes) -> _Answer:
        """The text of each id, and the ids of special tokens by what they are for."""
        tokenizer = self.agent.tokenizer
        if tokenizer is None:
            raise Problem("the agent was given no tokenizer", "TOKENIZER_MISSING", "Give one, listen(model, tokenizer=...), or write ids.")
        names = ("bos", "eos", "unk", "sep", "pad", "cls", "mask")
        roles = {n: getattr(tokenizer, n + "_token_id", None) for n in names}
        added = getattr(tokenizer, "added_tokens_decoder", None) or {}
        special = {int(i) for i in getattr(tokenizer, "all_special_ids", [])} | {int(i) for i, t in added.items() if getattr(t, "special", False)}
        return _Answer(
            {
                "roles": {n: int(i) for n, i in roles.items() if isinstance(i, int)},
                "specials": {str(i): _piece(tokenizer, i) or self.agent.text_of(i) for i in sorted(special)},
            },
            json.dumps(self.agent.vocabulary()).encode(),
        )

    def do_capture(self, params: Json, payload: bytes) -> Any:
        names = {str(k): v for k, v in params["refs"].items()}
        options = {**params, "changes": [_with_numbers(rule, payload) for rule in params.get("changes") or []]}
        result = self.agent.on_model_thread(lambda: self.agent.capture_refs(params["ids"], names, options))
        parts, at, out = [], 0, []
        only_shapes = bool(params.get("shapes"))
        for name, t in result["values"].items():
            data = b"" if only_shapes else raw_bytes(t)
            out.append({"name": name, "shape": list(t.shape), "dtype": _dtype(t), "offset": at, "bytes": len(data)})
            parts.append(data)
            at += len(data)
        return _Answer({"values": out, "missing": result["missing"], "scalars": result["scalars"]}, b"".join(parts))

    def do_detach(self, params: Json, payload: bytes) -> Json:
        self.agent.release()
        return {}

    # ---- what is asked where the run stands

    def _ref(self, params: Json) -> Tensor:
        stop = self.agent.stopped
        return self.agent.resolve(params["ref"], stop.event if stop else None)

    def at_standing(self, params: Json, payload: bytes) -> Json:
        return self.agent.standing()

    def at_resume(self, params: Json, payload: bytes) -> str:
        agent = self.agent
        stop = agent.stopped
        by = params.get("by", "go")
        agent.released.set()
        agent.until = params.get("until")
        if by != "go" and stop is not None:
            p = agent.progress
            agent.stepping = {
                **{"by": by, "to": params.get("to"), "thread": stop.thread, "depth": stop.event.depth},
                **{"path": stop.event.path, "when": stop.event.when, "pass": p.passes, "optimiser": p.optimiser},
            }
        agent._change_hooks()
        return "go"

    def at_again(self, params: Json, payload: bytes) -> str:
        agent = self.agent
        stop = agent.stopped
        path = str(params["path"])
        frame = next((f for f in reversed(agent.local.stack) if f.path == path), None)
        if stop is None or frame is None or stop.event.when not in ("before", "after", "op", "error"):
            raise Problem("%s is not under way" % (path or "the model"), hint="`where` shows what is.")
        if stop.event.when == "before" and stop.event.path == path:
            raise Problem("%s stands at its beginning" % (path or "the model"), hint="Step on.")
        if stop.event.when == "after" and stop.event.path == path:
            frame.again = True
        else:
            agent.local.silent = frame
        return "go"

    def at_patches(self, params: Json, payload: bytes) -> Json:
        agent = self.agent
        patches = []
        for patch in params["patches"]:
            patch = _with_numbers(patch, payload)
            if patch["path"] not in agent.paths:
                raise Problem("there is no module %s" % patch["path"], "SITE_UNKNOWN", "The listing names all.")
            patches.append(patch)
        before = agent.patches
        agent.patches = patches
        stop = agent.stopped
        if stop is not None and stop.event.when in ("before", "after", "backward"):
            event = stop.event
            event.unchanged()
            try:
                agent._patch(event)
            except Exception:
                agent.patches = before
                event.unchanged()
                agent._patch(event)
                raise
            agent._keep(event)
        agent._change_hooks()
        return {}

    def at_weight(self, params: Json, payload: bytes) -> Json:
        """Changes a parameter or buffer in place; its version goes up, so that autograd notices."""
        agent = self.agent
        t = agent.parameter(str(params["name"]))
        if t.dtype not in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
            raise Problem("%s is packed as %s" % (params["name"], _dtype(t)), "TENSOR_DTYPE", "Change what its module gives.")
        agent.next_id += 1
        with torch.no_grad():
            saved = t.detach().clone()
            part, index = agent._part(t, params)
            value = _float(params["value"]) if "value" in params else 0.0
            act = params["act"]
            if act == "=":
                part[index] = value
            elif act == "*=":
                part[index] = part[index] * value
            elif act == "+=":
                part[index] = part[index] + value
            elif act == "write":
                numbers = torch.frombuffer(bytearray(payload), dtype=torch.float32).to(t.device, t.dtype)
                start = int(params["offset"])
                if start + numbers.numel() > t.numel():
                    raise Problem("the value ends at number %d" % t.numel(), hint="Write inside of it.")
                flat = t.detach().reshape(-1)
                if flat.data_ptr() != t.data_ptr():
                    raise Problem("%s does not lie in one piece" % params["name"], hint="Set it with a selector.")
                flat[start : start + numbers.numel()] = numbers
        agent.undo_weights[agent.next_id] = (str(params["name"]), saved)
        return {"undo": agent.next_id, "version": _version(t)}

    def at_unweight(self, params: Json, payload: bytes) -> Json:
        found = self.agent.undo_weights.pop(int(params["undo"]), None)
        if found is not None:
            with torch.no_grad():
                self.agent.parameter(found[0]).copy_(found[1])
        return {"done": found is not None}

    def at_stats(self, params: Json, payload: bytes) -> Json:
        out = []
        for ref in params["refs"]:
            try:
                t = self._ref({"ref": ref})
                with self.agent.quiet():
                    out.append({"meta": {**meta(t), "axes": self.agent.axes_of(t)}, "stats": statistics(t)})
            except Problem as error:
                out.append({"problem": {"code": error.code, "message": str(error), "hint": error.hint}})
        return {"values": out}

    def at_children(self, params: Json, payload: bytes) -> Json:
        t = self._ref(params)
        with self.agent.quiet():
            return {"meta": {**meta(t), "axes": self.agent.axes_of(t)}, "children": children(t, params["at"], int(params["start"]), int(params["stop"]))}

    def at_read(self, params: Json, payload: bytes) -> _Answer:
        """Numbers as float32: a range of the whole in the order of its shape, never more than the limit."""
        t = self._ref(params)
        with self.agent.quiet():
            start = int(params.get("start", 0))
            total = t.numel()
            count = min(int(params.get("count", total)), max(0, total - start))
            if 4 * count > _READ_LIMIT:
                raise Problem("%d bytes at once; at most %d" % (4 * count, _READ_LIMIT), "MEMORY_LIMIT", "Ask for a part.")
            flat = _plain(t).reshape(-1)[start : start + count].float()
            return _Answer({"meta": {**meta(t), "axes": self.agent.axes_of(t)}, "count": count}, raw_bytes(flat))

    def at_histogram(self, params: Json, payload: bytes) -> Json:
        with self.agent.quiet():
            return histogram(self._ref(params), int(params.get("bins", 50)), params.get("low"), params.get("high"))

    def at_topk(self, params: Json, payload: bytes) -> Json:
        with self.agent.quiet():
            return top_k(self._ref(params), int(params.get("k", 10)), str(params.get("by", "greatest")))

    def at_pyramid(self, params: Json, payload: bytes) -> _Answer:
        with self.agent.quiet():
            t = max_pyramid(self._ref(params), min(30, int(params.get("level", 0))))
            if 4 * t.numel() > _READ_LIMIT:
                raise Problem("the picture is too large", "MEMORY_LIMIT", "Take a higher level.")
            return _Answer({"shape": list(t.shape)}, raw_bytes(t.float()))

    def at_evaluate(self, params: Json, payload: bytes) -> Json:
        agent = self.agent
        stop = agent.stopped
        with agent.quiet():
            value = Evaluation(Moment(agent, stop.event if stop else None)).value(params["tree"])
            if not isinstance(value, Labelled):
                return {"value": value}
            t = value.tensor
            first = [_number(x) for x in t.reshape(-1)[:12].double().cpu().tolist()]
            return {"axes": value.axes, "shape": list(t.shape), "first": first, "stats": statistics(t)}

    def at_words(self, params: Json, payload: bytes) -> Json:
        agent = self.agent
        with agent.quiet():
            row = _wide(agent.score_row(None))
            p = row.softmax(-1)
            k = min(int(params["count"]), row.numel())
            values, ids = torch.topk(torch.nan_to_num(row, nan=-math.inf), k)
            return {
                "words": [
                    {"id": int(i), "text": agent.text_of(int(i)), "logit": _number(float(v)), "probability": float(p[i])}
                    for v, i in zip(values.cpu(), ids.cpu())
                ]
            }

    def at_lens(self, params: Json, payload: bytes) -> Json:
        """What the model's own last norm and head say of the stream, at the newest position."""
        agent = self.agent
        norm = agent.model.get_submodule(params["norm"]) if params.get("norm") else None
        head = agent.model.get_submodule(params["head"])
        stop = agent.stopped
        rows = []
        with agent.quiet():
            for place, ref in params["refs"]:
                x = agent.resolve(ref, stop.event if stop else None)[:1, -1:]
                logits = _wide(_plain(head(norm(x) if norm is not None else x))).reshape(-1)
                p = logits.softmax(-1)
                best = int(p.argmax())
                asked = [int(t) for t in params.get("tokens") or []]
                words = [{"id": i, "text": agent.text_of(i), "probability": float(p[i])} for i in [best, *asked]]
                rows.append({"place": place, "top": words[0], "words": words[1:]})
        return {"rows": rows}

    def at_gradient(self, params: Json, payload: bytes) -> Json:
        """The gradient of one number of a value that is here by other values and weights; the graph is kept."""
        agent = self.agent
        stop = agent.stopped
        event = stop.event if stop else None
        target = agent.resolve(params["target"], event)
        index = tuple(int(i) for i in params.get("index") or [])
        refs = [agent.resolve(r, event) for r in params["refs"]]
        if not target.requires_grad:
            raise Problem("the value is part of no graph", "GRADIENT_UNDEFINED", "Run the model with gradients enabled.")
        agent.local.busy += 1
        try:
            with torch.enable_grad():
                given = [r for r in refs if r.requires_grad]
                found = torch.autograd.grad(target[index].sum(), given, retain_graph=True, allow_unused=True)
        finally:
            agent.local.busy -= 1
        by = {id(r): g for r, g in zip(given, found)}
        out = []
        with agent.quiet():
            for ref, r in zip(params["refs"], refs):
                g = by.get(id(r))
                if g is not None:
                    key = (str(ref.get("path", "")), str(ref["slot"])) if "slot" in ref else (str(ref.get("param")), "out")
                    agent.grads[key] = g.detach()
                out.append(None if g is None else statistics(g))
        return {"gradients": out}


def _with_numbers(rule: Json, payload: bytes) -> Json:
    """A change, with the numbers that came beside it."""
    if "data" not in rule:
        return dict(rule)
    spec = rule["data"]
    numbers = payload[spec["offset"] : spec["offset"] + 4 * spec["count"]]
    data = torch.frombuffer(bytearray(numbers), dtype=torch.float32) if spec["count"] else torch.zeros(0)
    return {**rule, "data": data}


def describe(agent: Agent) -> Json:
    """The model as a tree of modules, with what it says of itself."""
    model = agent.model
    names: Dict[int, List[str]] = {}
    for path, m in model.named_modules(remove_duplicate=False):
        names.setdefault(id(m), []).append(path)
    storages: Dict[int, int] = {}
    modules = []
    for path, m in model.named_modules():
        weights = []
        for kind, held in (("parameter", m._parameters), ("buffer", m._buffers)):
            for k, t in held.items():
                if t is None:
                    continue
                key = _storage(t) if t.numel() and t.device.type != "meta" else 0
                shared = storages.setdefault(key, len(storages)) if key else -1
                weights.append({"name": (path + "." if path else "") + k, "kind": kind, "storage": shared, **meta(t)})
        modules.append(
            {
                **{"path": path, "type": type(m).__name__, "text": m.extra_repr()[:200], "aliases": names[id(m)][1:]},
                **{"training": m.training, "weights": weights, "block": agent.blocks.get(path)},
            }
        )
    config = _config_of(model)
    attention = getattr(getattr(model, "config", None), "_attn_implementation", None)
    return {
        **{"modules": modules, "config": config, "type": type(model).__name__, "summary": summary_of(agent)},
        **{"attention": attention, "compiled": _is_compiled(agent.given), "tokenizer": agent.tokenizer is not None},
        "fastPath": any(isinstance(m, (nn.MultiheadAttention, nn.TransformerEncoderLayer)) for m in model.modules()),
    }


# ---------------------------------------------------------------------------------------------------------------
# Beginning
# ---------------------------------------------------------------------------------------------------------------

_agents: "weakref.WeakSet[Agent]" = weakref.WeakSet()


def _wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True


def _in_child() -> None:
    """A forked process has the hooks and no thread that listens: nothing in it may stop."""
    for agent in list(_agents):
        agent.live = agent.active = False
        agent.wire = None
        agent.listener = None
        agent.post = None


def _at_exit() -> None:
    for agent in list(_agents):
        agent.tell("ended", text="the process has ended")
        agent.end_serving()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
atexit.register(_at_exit)


def listen(
    model: Optional[nn.Module] = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: Optional[str] = None,
    wait: bool = False,
    quiet: bool = False,
    **options: Any,
) -> Agent:
    """
    Lets a debugger attach at a port of this machine, and prints how.

    model: the one that is debugged; left out, the first that is called. port: 0 is any free one; under torchrun each
    rank adds its number. token: what a debugger must know; left out, a new one (or CUTAWAY_TOKEN). wait: until a
    debugger is there and lets the process go on. options: tokenizer, optimizer, forward, keep_bytes, stop_timeout.
    """
    agent = Agent(model, token=token, **options)
    at = port + agent.rank if port else 0
    listener = socket.create_server((host, at))
    agent.listener = listener
    address = listener.getsockname()
    agent.address = (str(address[0]), int(address[1]))
    if model is None:
        _find_model(agent)

    def accept() -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=agent.serve, args=(sock,), name="cutaway", daemon=True).start()

    threading.Thread(target=accept, name="cutaway", daemon=True).start()
    if not quiet:
        print("cutaway: cutaway attach %s:%d --token %s" % (*agent.address, agent.token), file=sys.stderr, flush=True)
    if wait:
        agent.wait()
    return agent


def connect(
    model: Optional[nn.Module] = None,
    address: Optional[str] = None,
    *,
    token: Optional[str] = None,
    wait: bool = False,
    **options: Any,
) -> Agent:
    """
    Calls a debugger that listens (`cutaway attach --listen PORT`, with the same token: CUTAWAY_TOKEN) instead of waiting for one.

    address: HOST:PORT; left out, CUTAWAY_CONNECT. Raises Problem AGENT_UNREACHABLE.
    """
    given = address or os.environ.get("CUTAWAY_CONNECT", "")
    host, _, port = given.rpartition(":")
    if not port.isdigit():
        raise Problem("%r is no HOST:PORT" % given, "AGENT_UNREACHABLE", "Give the address, or set CUTAWAY_CONNECT.")
    agent = Agent(model, token=token, **options)
    if model is None:
        _find_model(agent)
    try:
        sock = socket.create_connection((host or "127.0.0.1", int(port)), timeout=10)
    except OSError as error:
        raise Problem("nothing listens at %s: %s" % (given, error), "AGENT_UNREACHABLE", "Start the debugger first.") from error
    sock.settimeout(None)
    threading.Thread(target=agent.serve, args=(sock,), name="cutaway", daemon=True).start()
    if wait:
        agent.wait()
    return agent


def record_when(model: nn.Module, path: str, *, agent: Optional[Agent] = None, **rules: Any) -> Agent:
    """
    Writes a recording of the first pass that goes wrong, with no debugger there; `cutaway debug FILE` opens it.

    rules: nan (True: a number that is none in what the model gives), error (True: an exception leaves a module),
    loss_above, loss_spike (so many times the median of the last losses), sites (patterns of names), most (files).
    It costs hooks on all modules, and memory for what they gave in one pass (listen(keep_bytes=...)).
    """
    made = agent or Agent(model)
    made.post = _PostMortem(made, path, **rules)
    made.live = True
    made._change_hooks()
    return made


def _find_model(agent: Agent) -> None:
    """The model is the outermost module that is called first; one that contains it, if such a one is called later."""
    if not hasattr(nn.modules.module, "register_module_forward_pre_hook"):
        raise Problem("this PyTorch finds no model by itself", hint="Give it: listen(model).")
    depth = threading.local()

    def before(module: nn.Module, args: Any) -> None:
        known = agent._model
        if known is module or getattr(depth, "inside", False):
            return
        if known is None or (len(list(module.modules())) > len(agent.paths) and any(m is known for m in module.modules())):
            if not any(True for _ in module.children()):
                return
            for handle in agent.root_handles:
                handle.remove()
            agent._remove_hooks()
            agent.active = False
            agent.take(module)
            agent.progress.passes += 1

    nn.modules.module.register_module_forward_pre_hook(before)


def main(arguments: Sequence[str]) -> int:
    """`python -m cutaway_agent [--port N] [--token T] [--connect HOST:PORT] [--wait] SCRIPT ARGUMENTS`"""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m cutaway_agent", description="Runs a script with the agent in it.")
    parser.add_argument("--port", type=int, default=0, help="where to listen; 0: any free port; a rank adds its number")
    parser.add_argument("--token", help="what a debugger must know (default: a new one, or CUTAWAY_TOKEN)")
    parser.add_argument("--connect", metavar="HOST:PORT", help="call a debugger that listens there")
    parser.add_argument("--wait", action="store_true", help="wait for a debugger before the script begins")
    parser.add_argument("script")
    parser.add_argument("rest", nargs=argparse.REMAINDER)
    given = parser.parse_args(arguments)
    if not os.path.exists(given.script):
        print("cutaway: there is no %s" % given.script, file=sys.stderr)
        return 2
    own = sys.modules.get("cutaway_agent") or sys.modules["__main__"]
    options = {"token": given.token}
    agent = connect(None, given.connect, **options) if given.connect else listen(None, port=given.port, **options)
    if given.wait:
        _hold_first_call(agent)
    sys.modules["cutaway_agent"] = own
    sys.argv = [given.script, *given.rest]
    sys.path[0] = os.path.dirname(os.path.abspath(given.script))
    runpy.run_path(given.script, run_name="__main__")
    return 0


def _hold_first_call(agent: Agent) -> None:
    """The first call of a model waits until a debugger lets it go on."""
    held = []

    def before(module: nn.Module, args: Any) -> None:
        if not held and agent._model is not None:
            held.append(True)
            agent.wait()

    nn.modules.module.register_module_forward_pre_hook(before)


if __name__ == "__main__":
    sys.modules.setdefault("cutaway_agent", sys.modules["__main__"])
    sys.exit(main(sys.argv[1:]))
