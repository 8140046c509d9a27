"""What the two peer benchmarks share: the cases, medians, child processes and memory."""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path


@dataclass(frozen=True)
class Cases:
    """What is measured. A JSON file may give any of these; tokens are counts, ids are drawn with `seed`."""

    lengths: tuple[int, ...] = (1, 16, 64, 512)
    captureLengths: tuple[int, ...] = (1, 16, 64, 512)
    patchLengths: tuple[int, ...] = (16, 64)
    attention: tuple[str, ...] = ("eager", "sdpa")
    decodePrompt: int = 16
    decodeTokens: int = 32
    warmUp: int = 2
    repeats: int = 7
    starts: int = 3
    seed: int = 1

    @staticmethod
    def read(path: Path | None) -> Cases:
        given = json.loads(path.read_text()) if path else {}
        known = {field.name for field in fields(Cases)}
        if unknown := set(given) - known:
            raise SystemExit(f"unknown cases: {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}")
        return Cases(**{name: tuple(v) if isinstance(v, list) else v for name, v in given.items()})


def arguments(description: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("model", type=Path, help="folder in Hugging Face layout")
    parser.add_argument("--cases", type=Path, help="JSON file with what to measure")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--length", type=int, default=16, help=argparse.SUPPRESS)
    # Must come before torch is imported: no network, no progress bars in the measured time.
    os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    return parser.parse_args()


def ids_of_length(length: int, vocab: int, seed: int) -> list[int]:
    """The same ids in every peer: a linear congruential generator, so that no library's random numbers matter."""
    state, ids = seed, []
    for _ in range(length):
        state = (state * 1664525 + 1013904223) % 2**32
        ids.append(state * vocab // 2**32)
    return ids


def measure(work: Callable[[], object], cases: Cases) -> dict:
    """Median, least and most wall-clock seconds of `work`, after warm-up."""
    for _ in range(cases.warmUp):
        work()
    seconds = []
    for _ in range(cases.repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return {"median": statistics.median(seconds), "least": min(seconds), "most": max(seconds)}


def answer_each_line(cases: dict[str, Callable[[], object]]) -> None:
    """
    Runs the case that each line on standard input names, and answers with its seconds by the clock and of the
    processor, all threads; `null` for a case that is not there. So two benchmarks can take turns.
    """
    for line in sys.stdin:
        work = cases.get(line.strip())
        if work is None:
            print("null", flush=True)
            continue
        start, used = time.perf_counter(), time.process_time()
        work()
        print(
            json.dumps({"seconds": time.perf_counter() - start, "cpu": time.process_time() - used}), flush=True
        )


def peak_rss_bytes() -> int:
    status = Path("/proc/self/status")  # ru_maxrss also counts the parent that the process was forked from
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    scale = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale


def child(script: str, args: argparse.Namespace, task: str, length: int) -> dict:
    """
    Runs a task of the script in a process of its own. The child's stamps are seconds of the system-wide monotonic
    clock; here they become seconds since the process was started.
    """
    command = [sys.executable, script, str(args.model), "--child", task]
    command += ["--length", str(length), "--threads", str(args.threads)]
    start = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    answer = json.loads(done.stdout.splitlines()[-1])
    answer["stamps"] = {name: stamp - start for name, stamp in answer.get("stamps", {}).items()}
    return answer


def starts(script: str, args: argparse.Namespace, cases: Cases) -> dict:
    """Median seconds from the start of a process to each stamp; the first start warms the disk cache and is left out."""
    runs = [child(script, args, "first-token", cases.decodePrompt)["stamps"] for _ in range(cases.starts + 1)][1:]
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def machine(threads: int) -> dict:
    return {"platform": platform.platform(), "python": platform.python_version(), "threads": threads}
