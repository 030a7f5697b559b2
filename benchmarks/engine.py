"""How fast the engine is, in ratios that carry over from one machine to another.

Measured, in CPU time of one thread:

- the compiled kernel, through `planner.engine.simulation.simulate` with its checks, against a lean SimPy model of the
  same graph (in-degrees counted by hand, a process for each ready task, a resource for each pool, nothing else);
- the same against `yardstick.c`, the full rule in C, compiled here by `cc`;
- the uncompiled kernel against lean SimPy;
- a graph of 1,000,000 tasks and 2 million edges, built and scheduled once in a fresh process: seconds, peak memory.

The graphs: a chain of 86 tasks; a fan-out to 120 chains of 10 tasks on 16 agents; a layered random graph of 1,000 tasks
and 2,352 edges on 16 agents. Durations are lognormal, so that ties make no difference: SimPy's makespans must equal the
kernel's. The C program's starts and ends must, there and in a race with ties, to the bit; else nothing is measured.

Contestants take turns in each round, in alternating order; a ratio is the median, over the rounds, of their time over
ours in the same round, with its quartiles: what else runs on the machine hits both. Repeat it, in about 30 s, with

    python benchmarks/engine.py --json engine.json

A goal that is missed is reported, nothing more.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import simpy

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this checkout, not an installed copy

from planner import engine
from planner.engine import Floats, Graph, Ints, build_graph, round_to_ticks, simulate

GOALS = {  # subject: at least this ratio, by graph
    "compiled / SimPy": {"chain": 300.0, "fan-out": 120.0, "layered": 80.0},
    "traced / SimPy": {},  # the compiled kernel, with critical paths
    "compiled / C": {"chain": 0.75, "fan-out": 0.75, "layered": 0.75},
    "uncompiled / SimPy": {"chain": 3.0, "fan-out": 3.0, "layered": 3.0},
}
MEMORY_GOAL = 300.0
"""Megabytes (10⁶ bytes) at most, for the million tasks, with Python and NumPy."""

MANY, FEW = 600_000, 4_000
"""Task-samples in one timed call: of compiled code, and of Python."""

COMPILER = os.environ.get("CC", "cc")
Yardstick = Callable[[Graph, Floats, Floats, Floats], tuple[Floats, Floats, Floats]]
"""yardstick.c: from a graph, durations, patience and away to makespans, and starts and ends of the last sample."""


@dataclass(frozen=True)
class Row:
    """One result: a ratio, or a value in the unit that `subject` ends with. `ours` and `theirs` are ns per task."""

    subject: str
    graph: str
    value: float
    quartiles: tuple[float, float] | None = None
    ours: float | None = None
    theirs: float | None = None
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

        spread = "…".join(map(number, self.quartiles or ()))
        goal = "" if self.goal is None else f"{'≤' if self.at_most else '≥'} {self.goal:g}"
        return (f"{self.subject:<18} {self.graph:<8} {number(self.ours):>8} {number(self.theirs):>8} "
                f"{number(self.value):>6} {spread:>11} {goal:>6} {self.verdict}").rstrip()  # fmt: skip


def chain() -> Graph:
    return build_graph(86, [(i, i + 1) for i in range(85)], acquire=np.zeros(86), capacity=[1])


def fan_out() -> Graph:
    ends = [edge for i in range(1, 1201, 10) for edge in ((0, i), (i + 9, 1201))]
    edges = ends + [(i, i + 1) for i in range(1, 1201) if i % 10]
    return build_graph(1202, edges, acquire=np.zeros(1202), capacity=[16])


def layered(layers: int, width: int, most: int, agents: int) -> Graph:
    """Each task but those of the first layer needs 1…`most` random tasks (some the same) of the layer before."""
    generator = np.random.default_rng(1)
    n = layers * width
    target = np.repeat(np.arange(width, n), generator.integers(1, most + 1, n - width))
    source = (target // width - 1) * width + generator.integers(0, width, len(target))
    pairs = np.sort(source * n + target)
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]
    edges = np.stack((pairs // n, pairs % n), axis=1, dtype=np.int32, casting="same_kind")
    return build_graph(n, edges, acquire=np.zeros(n, np.int32), capacity=[agents])


def draw(graph: Graph, task_samples: int) -> Floats:
    shape = (task_samples // len(graph), len(graph))
    return round_to_ticks(np.random.default_rng(2).lognormal(1.0, 0.6, shape))


def lean_simpy(graph: list[list[int]], durations: list[float]) -> float:
    """Find the makespan with a SimPy model that has no more than these graphs need."""
    starts, successors, in_degree, acquire, capacity = graph
    environment = simpy.Environment()
    pools = [simpy.Resource(environment, slots) for slots in capacity]
    missing = in_degree[:]

    def task(i: int) -> Generator[simpy.Event, Any, None]:
        pool = pools[acquire[i]]
        request = pool.request()
        yield request
        yield environment.timeout(durations[i])
        pool.release(request)
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


def compile_yardstick(folder: str) -> Yardstick:
    source, library = str(Path(__file__).with_name("yardstick.c")), str(Path(folder, "yardstick.so"))
    subprocess.run([COMPILER, "-O3", "-ffp-contract=off", "-shared", "-fPIC", source, "-o", library], check=True)
    run_samples = ctypes.CDLL(library).run_samples
    run_samples.argtypes = [ctypes.c_int] * 4 + [ctypes.c_void_p] * 5

    def run(g: Graph, durations: Floats, patience: Floats, away: Floats) -> tuple[Floats, Floats, Floats]:
        samples, n = durations.shape
        given: list[Ints] = [g.successor_start, g.successors, g.in_degree, g.acquire, g.release, g.capacity,
                             g.race, g.copy_lo, g.race_lo, g.race_hi, g.leave, g.since]  # fmt: skip
        makespan, start, end, cause, freer = (np.empty(length) for length in (samples, n, n, n, n))  # ints have room
        inputs = (ctypes.c_void_p * 12)(*(array.ctypes.data for array in given))  # as C lays out a struct of pointers
        outputs = (ctypes.c_void_p * 5)(*(array.ctypes.data for array in (makespan, start, end, cause, freer)))
        drawn = (array.ctypes.data for array in (durations, patience, away))
        if run_samples(samples, n, len(g.capacity), len(g.since), inputs, *drawn, outputs):
            raise MemoryError
        return makespan, start, end

    return run


def insist_equal(what: str, *pairs: tuple[Any, Any]) -> None:
    if not all(np.array_equal(ours, theirs, equal_nan=True) for ours, theirs in pairs):
        sys.exit(f"{what} differ from the kernel's: nothing is measured")


def check_race(kernel: ModuleType, yardstick: Yardstick) -> None:
    """Compare 200 samples: a race of 3, slots held across tasks and wanted by others, leavers, skips, many ties."""
    edges = [(0, 1), (0, 5), (0, 9), (4, 13), (8, 13), (12, 13), (13, 14), (14, 15)]
    edges += [(i, i + 1) for i in range(1, 12) if i % 4]
    edges += [edge for i in range(16, 20) for edge in ((0, i), (i, 39 - i))]
    acquire = np.array([-1, 0, -1, -1, 1, 0, -1, -1, 1, 0, -1, -1, 1, 1, 1, -1, 0, 0, 1, 1, 1, 0, 1, 0])
    release = np.array([-1, -1, -1, 0, 1, -1, -1, 0, 1, -1, -1, 0, 1, 1, 1, -1, 0, 0, 1, 1, 1, 0, 1, 0])
    graph = build_graph(24, edges, acquire=acquire, release=release, capacity=[2, 1], races={0: (1, 13)},
                        exits={4: (0, 1), 8: (0, 5), 12: (0, 9)}, leaves={6: 0, 15: 13})  # fmt: skip
    generator = np.random.default_rng(3)
    for _ in range(200):
        durations, patience, away = (generator.integers(0, 4, (1, size)).astype(np.float64) for size in (24, 2, 2))
        durations[0, [4, 8, 13, 17, 18]] -= 1.0
        ours = simulate(graph, durations, patience=patience, away=away, kernel=kernel)
        makespan, start, end = yardstick(graph, durations, patience, away)
        insist_equal("race: C's times", (ours.makespan, makespan), (ours.start, start), (ours.end, end))


def take_turns(rounds: int, contestants: dict[str, tuple[Callable[[], object], int]]) -> dict[str, Floats]:
    """CPU nanoseconds per task-sample, by contestant and round; each has a call and the task-samples in it."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    gc.disable()  # as timeit does; SimPy would pay for it most
    for index in range(rounds):
        for name, (call, task_samples) in sorted(contestants.items(), reverse=index % 2 == 1):
            gc.collect()
            begun = time.thread_time()
            call()
            times[name].append((time.thread_time() - begun) * 1e9 / task_samples)
    gc.enable()
    return {name: np.array(values) for name, values in times.items()}


def compare(name: str, graph: Graph, rounds: int, kernel: ModuleType | None, yardstick: Yardstick | None) -> list[Row]:
    """Find all ratios on one graph."""
    arrays = (graph.successor_start, graph.successors, graph.in_degree, graph.acquire, graph.capacity)
    lists = [array.tolist() for array in arrays]
    few, many, pure = draw(graph, FEW), draw(graph, MANY), engine.uncompiled()
    rows, none = few.tolist(), np.empty((len(many), 0))
    makespans = [lean_simpy(lists, row) for row in rows]
    for each in filter(None, (pure, kernel)):
        insist_equal(f"{name}: SimPy's makespans", (makespans, simulate(graph, few, kernel=each).makespan))
    contestants: dict[str, tuple[Callable[[], object], int]] = {
        "SimPy": (lambda: [lean_simpy(lists, row) for row in rows], few.size),
        "uncompiled": (lambda: simulate(graph, few, kernel=pure), few.size),
    }
    if kernel:
        contestants["compiled"] = (lambda: simulate(graph, many, kernel=kernel), many.size)
        contestants["traced"] = (lambda: simulate(graph, many, traced=True, kernel=kernel), many.size)
    if kernel and yardstick:
        found, (makespan, start, end) = simulate(graph, many, kernel=kernel), yardstick(graph, many, none, none)
        insist_equal(f"{name}: C's times", (found.makespan, makespan), (found.start, start), (found.end, end))
        contestants["C"] = (lambda: yardstick(graph, many, none, none), many.size)
    times, results = take_turns(rounds, contestants), []
    for subject, goals in GOALS.items():
        ours, theirs = (times.get(contestant) for contestant in subject.split(" / "))
        if ours is not None and theirs is not None:
            low, median, high = np.percentile(theirs / ours, [25, 50, 75]).tolist()
            costs = float(np.median(ours)), float(np.median(theirs))
            results.append(Row(subject, name, median, (low, high), *costs, goal=goals.get(name)))
    return results


def million() -> None:
    """Print what 1,000,000 tasks cost in a fresh process: seconds to build, to schedule once, peak megabytes."""
    import resource  # not on Windows

    begun = time.thread_time()
    graph = layered(1000, 1000, 3, 64)
    built = time.thread_time()
    durations = draw(graph, len(graph))
    drawn = time.thread_time()
    simulate(graph, durations, kernel=engine.compiled())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(json.dumps([built - begun, time.thread_time() - drawn, peak / 1e6]))


def measure(rounds: int, folder: str) -> tuple[dict[str, str], list[Row]]:
    """Describe the machine and find every row."""
    about = {"machine": f"{platform.platform()}, {os.cpu_count()} cores", "Python": platform.python_version(),
             "NumPy": np.__version__, "SimPy": simpy.__version__, "kernel": "compiled"}  # fmt: skip
    kernel, yardstick, last = engine.compiled(), None, []
    if kernel is None:
        about["kernel"] = "NONE COMPILED for this kernel.py and Python: the uncompiled one alone"
    else:
        # First, while this process is small: a child's peak begins at that of the process that started it.
        built, scheduled, peak = json.loads(subprocess.check_output([sys.executable, __file__, "--million"]))
        last = [Row("1,000,000 tasks, s", "build", built), Row("1,000,000 tasks, s", "schedule", scheduled),
                Row("1,000,000 tasks, MB", "peak", peak, goal=MEMORY_GOAL, at_most=True)]  # fmt: skip
        try:
            yardstick = compile_yardstick(folder)
            about["C"] = subprocess.check_output([COMPILER, "--version"], text=True).partition("\n")[0]
        except (OSError, subprocess.CalledProcessError) as error:
            about["C"] = f"left out: {COMPILER} does not compile it ({type(error).__name__})"
        else:
            check_race(kernel, yardstick)
    graphs = {"chain": chain(), "fan-out": fan_out(), "layered": layered(25, 40, 4, 16)}
    rows = [row for name, graph in graphs.items() for row in compare(name, graph, rounds, kernel, yardstick)]
    return about, sorted(rows, key=lambda row: list(GOALS).index(row.subject)) + last


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the engine (see the head of this file).")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results there")
    parser.add_argument("--rounds", type=int, default=40, metavar="N", help="paired rounds on each graph (40)")
    parser.add_argument("--million", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.million:
        million()
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        about, rows = measure(options.rounds, folder)
    print(*(f"{key:<8} {value}"[:80] for key, value in about.items()), sep="\n")
    print(f"\nns of CPU per task and sample; medians and quartiles of {options.rounds} paired rounds\n")
    print(f"{'ours / theirs':<18} {'graph':<8} {'ours':>8} {'theirs':>8} {'ratio':>6} {'quartiles':>11} {'goal':>6}")
    print(*rows, sep="\n")
    if options.json:  # whole or not at all
        result = {"about": about, "rows": [asdict(row) | {"verdict": row.verdict} for row in rows]}
        part = options.json.with_name(f".{options.json.name}.{os.getpid()}")
        part.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        part.replace(options.json)


if __name__ == "__main__":
    main()
