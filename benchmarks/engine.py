"""How fast the engine is, as ratios that carry over from one machine to another.

Measured, each in CPU time of one thread:

- the compiled kernel, through `planner.engine.simulation.simulate` with its checks, against a lean SimPy model of the
  same graph (in-degrees counted by hand, a process for each ready task, a resource for each pool, nothing else);
- the same against `yardstick.c`, the full rule in C, compiled here by `cc`;
- the uncompiled kernel against lean SimPy;
- a graph of 1,000,000 tasks, built and scheduled once in a fresh process: seconds and peak memory.

The graphs: a chain of 86 tasks; a fan-out of 120 chains of 10 tasks on 16 agents; a layered random graph of 1,000 tasks
and 2,349 edges on 16 agents. Durations are lognormal, so that ties make no difference: SimPy's makespans must equal the
kernel's. So must the C program's starts and ends, there and on a race with ties; else this stops.

Contestants take turns in each round, in alternating order; a ratio is the median, over the rounds, of the other's time
over the kernel's in the same round, with its quartiles. So what else runs on the machine hits both alike.

    python benchmarks/engine.py --json benchmark.json

A goal that is missed is reported, nothing more.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import simpy

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this checkout, not an installed copy

from planner import engine
from planner.engine.simulation import Floats, Graph, Ints, build_graph, round_to_ticks, simulate

GOALS = {  # subject: at least this ratio on each graph
    "compiled / SimPy": {"chain": 300.0, "fan-out": 120.0, "layered": 80.0},
    "compiled / C": {"chain": 0.75, "fan-out": 0.75, "layered": 0.75},
    "uncompiled / SimPy": {"chain": 3.0, "fan-out": 3.0, "layered": 3.0},
}
MEMORY_GOAL = 300.0
"""Megabytes (10⁶ bytes) at most, for the million tasks, the interpreter and NumPy included."""

MANY, FEW = 600_000, 4_000
"""Task-samples in one timed call: of compiled code, and of Python."""


@dataclass(frozen=True)
class Row:
    """One result. `kernel` and `other` are ns per task, medians; `value` is a ratio or has the unit named in `subject`."""

    subject: str
    graph: str
    value: float
    quartiles: tuple[float, float] | None = None
    kernel: float | None = None
    other: float | None = None
    goal: float | None = None
    at_most: bool = False

    @property
    def verdict(self) -> str:
        """Whether the goal is met; empty if there is none."""
        if self.goal is None:
            return ""
        return "met" if (self.value <= self.goal if self.at_most else self.value >= self.goal) else "missed"

    def __str__(self) -> str:
        def number(x: float | None) -> str:
            return "" if x is None else f"{x:,.{0 if x >= 100 else 1 if x >= 10 else 2}f}"

        spread = "" if self.quartiles is None else "–".join(map(number, self.quartiles))
        goal = "" if self.goal is None else f"{'≤' if self.at_most else '≥'} {self.goal:g}"
        return (
            f"{self.subject:<18} {self.graph:<9} {number(self.kernel):>7} {number(self.other):>7} "
            f"{number(self.value):>6} {spread:>11} {goal:>6} {self.verdict}"
        ).rstrip()


# Graphs and durations


def chain() -> Graph:
    return build_graph(86, [(i, i + 1) for i in range(85)], acquire=np.zeros(86), capacity=[1])


def fan_out(items: int = 120, turns: int = 10) -> Graph:
    n = items * turns + 2
    firsts = range(1, n - 1, turns)
    turn = [(i, i + 1) for first in firsts for i in range(first, first + turns - 1)]
    edges = [(0, first) for first in firsts] + turn + [(first + turns - 1, n - 1) for first in firsts]
    return build_graph(n, edges, acquire=np.zeros(n), capacity=[16])


def layered(layers: int, width: int, most: int, agents: int) -> Graph:
    """Each task but those of the first layer needs 1…`most` random tasks (some the same) of the layer before."""
    generator = np.random.default_rng(1)
    n = layers * width
    needs = generator.integers(1, most + 1, n - width)
    target = np.repeat(np.arange(width, n, dtype=np.int32), needs)
    source = (target // width - 1) * width + generator.integers(0, width, len(target), dtype=np.int32)
    pairs = np.unique(source.astype(np.int64) * n + target)
    edges = np.empty((len(pairs), 2), np.int32)
    edges[:, 0], edges[:, 1] = pairs // n, pairs % n
    del needs, target, source, pairs
    return build_graph(n, edges, acquire=np.zeros(n, np.int32), capacity=[agents])


def raced() -> tuple[Graph, Floats, Floats, Floats]:
    """A race of 3 copies of 4 tasks, a slot held across tasks, two who leave; integer durations, some tasks skipped."""
    edges = [(0, 1), (0, 5), (0, 9), (4, 13), (8, 13), (12, 13), (13, 14), (14, 15)]
    edges += [(i, i + 1) for first in (1, 5, 9) for i in range(first, first + 3)]
    acquire, release = np.full(16, -1), np.full(16, -1)
    acquire[[1, 5, 9]] = release[[3, 7, 11]] = 0
    acquire[[4, 8, 12, 13, 14]] = release[[4, 8, 12, 13, 14]] = 1
    graph = build_graph(16, edges, acquire=acquire, release=release, capacity=[2, 1], races={0: (1, 13)},
                        exits={4: (0, 1), 8: (0, 5), 12: (0, 9)}, leaves={6: 0, 15: 13})  # fmt: skip
    generator = np.random.default_rng(3)
    durations = generator.integers(0, 4, (200, 16)).astype(float)
    durations[:, [4, 8, 13]] = generator.integers(-1, 4, (200, 3))
    return graph, durations, generator.integers(0, 3, (200, 2)) * 1.0, generator.integers(0, 3, (200, 2)) * 0.5


def draw(graph: Graph, task_samples: int) -> Floats:
    samples = max(1, task_samples // len(graph))
    return round_to_ticks(np.random.default_rng(2).lognormal(1.0, 0.6, (samples, len(graph))))


# The contestants


def lean_simpy(starts: list[int], successors: list[int], in_degree: list[int], pool: list[int], capacity: list[int],
               durations: list[float]) -> float:  # fmt: skip
    """The makespan by a SimPy model with no more than these graphs need."""
    environment = simpy.Environment()
    pools = [simpy.Resource(environment, slots) for slots in capacity]
    missing = in_degree[:]

    def task(i: int) -> Generator[simpy.Event, Any, None]:
        resource = pools[pool[i]]
        request = resource.request()
        yield request
        yield environment.timeout(durations[i])
        resource.release(request)
        for e in range(starts[i], starts[i + 1]):
            j = successors[e]
            missing[j] -= 1
            if missing[j] == 0:
                environment.process(task(j))

    for i, count in enumerate(in_degree):
        if count == 0:
            environment.process(task(i))
    environment.run()
    return float(environment.now)


class Yardstick:
    """yardstick.c, compiled into `folder`; raises OSError or CalledProcessError where that fails."""

    def __init__(self, folder: str) -> None:
        compiler = shutil.which(os.environ.get("CC", "cc"))
        if compiler is None:
            raise FileNotFoundError("no C compiler (CC or cc)")
        source, library = Path(__file__).with_name("yardstick.c"), Path(folder, "yardstick.so")
        subprocess.run([compiler, "-O3", "-ffp-contract=off", "-shared", "-fPIC", source, "-o", library],
                       check=True, capture_output=True, text=True)  # fmt: skip
        told = subprocess.run([compiler, "--version"], check=True, capture_output=True, text=True).stdout
        self.compiler = told.splitlines()[0]
        self.function = ctypes.CDLL(str(library)).run_samples
        self.function.argtypes = [ctypes.c_int] * 4 + [ctypes.c_void_p] * 5

    def __call__(self, g: Graph, durations: Floats, patience: Floats | None = None, away: Floats | None = None) -> list[Floats]:
        """Makespans of all samples, starts and ends of the last."""
        samples, n = durations.shape
        leaves = len(g.since)
        patience = np.zeros((samples, leaves)) if patience is None else patience
        away = np.zeros((samples, leaves)) if away is None else away
        given: list[Ints] = [g.successor_start, g.successors, g.in_degree, g.acquire, g.release, g.capacity,
                             g.race, g.copy_lo, g.race_lo, g.race_hi, g.leave, g.since]  # fmt: skip
        found = [np.empty(samples), np.empty(n), np.empty(n)]
        traces = [np.empty(n, np.int32), np.empty(n, np.int32)]
        inputs = (ctypes.c_void_p * 12)(*(array.ctypes.data for array in given))  # as the structs of pointers in C
        outputs = (ctypes.c_void_p * 5)(*(array.ctypes.data for array in (*found, *traces)))
        if self.function(samples, n, len(g.capacity), leaves, inputs, durations.ctypes.data, patience.ctypes.data,
                         away.ctypes.data, outputs):  # fmt: skip
            raise MemoryError
        return found


# Measuring


def insist_equal(what: str, *pairs: tuple[Any, Any]) -> None:
    if not all(np.array_equal(ours, theirs, equal_nan=True) for ours, theirs in pairs):
        sys.exit(f"{what} differ: nothing is measured")


def take_turns(rounds: int, contestants: dict[str, tuple[Callable[[], object], int]]) -> dict[str, Floats]:
    """CPU nanoseconds per task-sample, by contestant and round; each has a call and the task-samples in it."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    gc.disable()  # as timeit does; it would cost SimPy most
    for index in range(rounds):
        for name, (call, task_samples) in sorted(contestants.items(), reverse=index % 2 == 1):
            gc.collect()
            begun = time.thread_time()
            call()
            times[name].append((time.thread_time() - begun) * 1e9 / task_samples)
    gc.enable()
    return {name: np.array(values) for name, values in times.items()}


def compare(name: str, graph: Graph, rounds: int, kernel: ModuleType | None, yardstick: Yardstick | None) -> list[Row]:
    """All ratios on one graph."""
    arrays = (graph.successor_start, graph.successors, graph.in_degree, graph.acquire, graph.capacity)
    lists: list[list[int]] = [array.tolist() for array in arrays]
    few, many, pure = draw(graph, FEW), draw(graph, MANY), engine.uncompiled()
    rows: list[list[float]] = few.tolist()
    contestants: dict[str, tuple[Callable[[], object], int]] = {
        "SimPy": (lambda: [lean_simpy(*lists, row) for row in rows], few.size),
        "uncompiled": (lambda: simulate(graph, few, kernel=pure), few.size),
    }
    makespans = [lean_simpy(*lists, row) for row in rows]
    insist_equal(f"{name}: SimPy's makespans", (makespans, simulate(graph, few, kernel=pure).makespan))
    ratios = [("uncompiled", "SimPy")]
    if kernel:
        insist_equal(f"{name}: SimPy's makespans", (makespans, simulate(graph, few, kernel=kernel).makespan))
        contestants["compiled"] = (lambda: simulate(graph, many, kernel=kernel), many.size)
        contestants["traced"] = (lambda: simulate(graph, many, traced=True, kernel=kernel), many.size)
        ratios += [("compiled", "SimPy"), ("traced", "SimPy")]
        if yardstick:
            ours, (makespan, start, end) = simulate(graph, many, kernel=kernel), yardstick(graph, many)
            insist_equal(f"{name}: the C program's", (ours.makespan, makespan), (ours.start, start), (ours.end, end))
            contestants["C"] = (lambda: yardstick(graph, many), many.size)
            ratios.append(("compiled", "C"))
    times = take_turns(rounds, contestants)
    found = []
    for ours_, other in ratios:
        low, median, high = np.percentile(times[other] / times[ours_], [25, 50, 75]).tolist()
        subject = f"{ours_} / {other}"
        found.append(Row(subject, name, median, (low, high), float(np.median(times[ours_])),
                         float(np.median(times[other])), GOALS.get(subject, {}).get(name)))  # fmt: skip
    return found


def check_race(kernel: ModuleType, yardstick: Yardstick) -> None:
    graph, *arrays = raced()
    for sample in range(len(arrays[0])):
        durations, patience, away = (array[sample : sample + 1].copy() for array in arrays)
        ours = simulate(graph, durations, patience=patience, away=away, kernel=kernel)
        makespan, start, end = yardstick(graph, durations, patience, away)
        insist_equal("race: the C program's", (ours.makespan, makespan), (ours.start, start), (ours.end, end))


def million() -> None:
    """Build and schedule 1,000,000 tasks once; prints what it took as JSON. For a fresh process."""
    import resource

    begun = time.thread_time()
    graph = layered(1000, 1000, 3, 64)
    built = time.thread_time()
    durations = draw(graph, len(graph))
    drawn = time.thread_time()
    simulate(graph, durations, kernel=engine.compiled())
    ended = time.thread_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(json.dumps({"edges": len(graph.successors), "build": built - begun, "schedule": ended - drawn, "peak": peak / 1e6}))


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the engine (see the head of this file).")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results there")
    parser.add_argument("--rounds", type=int, default=25, metavar="N", help="paired rounds on each graph (25)")
    parser.add_argument("--million", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.million:
        return million()
    ...
