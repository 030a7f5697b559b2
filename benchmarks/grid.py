"""What a grid of 80 scenarios costs, as a whole process: workflows/port_codebase.yaml, 5 speeds x 16 numbers of agents.

Beside it, on the same machine in the same run:

- importing the libraries that the command loads, and nothing else;
- the same on one thread, for the smaller number of samples, by wall time: the cores must be free;
- 80 single forecasts, extrapolated from four that run as whole processes, likewise;
- SimPy, extrapolated from some samples: the schedules alone, of durations that the planner drew, without reading,
  drawing or paying. Twice: a lean model (in-degrees counted by hand, a process for each ready task, a resource for each
  pool), and the independent program that the tests hold the kernel against. Its makespans must equal the kernel's to
  the bit; the lean model leaves ties to SimPy, and its makespans must equal them in most samples: else nothing is
  measured.

Wall and CPU time, of all threads, and peak memory are those of the process as the operating system counts them. What is
extrapolated is from four scenarios that stand for 20 each.

    python benchmarks/grid.py [--quick] [--output grid.json]

Grids of 1,000 and of 10,000 samples, the median of three rounds; --quick: 100 and 500 samples, and one round. Not on
Windows.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from start_up import IMPORTING, loaded

ROOT = Path(__file__).resolve().parents[1]
WORKFLOW = ROOT / "workflows" / "port_codebase.yaml"
SPEEDS = (1.0, 1.5, 2.5, 5.0, 8.0)
AGENTS = (1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 120)
STANDING_FOR_ALL = ((1.0, 2), (2.5, 8), (5.0, 20), (8.0, 64))
"""Scenarios that are forecast one by one, and that SimPy runs: each amid a quarter of the numbers of agents."""

AGREE = 0.9
"""Least share of samples in which the lean model's makespan equals the kernel's."""


@dataclass(frozen=True)
class Cost:
    """What a process cost: seconds of wall and CPU time, peak megabytes (10^6 bytes)."""

    wall: float
    cpu: float
    megabytes: float


@dataclass(frozen=True)
class Row:
    """A contestant. `ratio` is its CPU time over that of the grid with as many samples; None: it is the grid.

    by_wall : it is its wall time over the grid's
    """

    what: str
    samples: int
    cost: Cost
    ratio: float | None = None
    extrapolated: bool = False
    by_wall: bool = False

    def __str__(self) -> str:
        cost, about = self.cost, "~" if self.extrapolated else " "
        memory = f"{cost.megabytes:>7,.0f}" if cost.megabytes else " " * 7
        ratio = "" if self.ratio is None else f"{self.ratio:>9,.{2 if self.ratio < 10 else 0}f}"
        mark = " wall" if self.by_wall else ""
        return f"{self.what:<38} {about}{cost.wall:>8,.1f} {about}{cost.cpu:>8,.1f} {memory} {ratio}{mark}".rstrip()


def process(command: Sequence[str]) -> Cost:
    """Run a command, which must succeed; this process is small, because a child's peak begins at its parent's."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}  # as users have it
    begun = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT, env=kept)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - begun
    if child.returncode:
        sys.exit(f"exit {child.returncode} of {' '.join(command)}")
    peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    return Cost(wall, used.ru_utime + used.ru_stime, peak)


def median(costs: Sequence[Cost]) -> Cost:
    """The median of each number."""
    return Cost(*(statistics.median(getattr(cost, key) for cost in costs) for key in ("wall", "cpu", "megabytes")))


def command(*arguments: object) -> list[str]:
    """A planner's command on the workflow."""
    return [sys.executable, "-m", "planner", *map(str, arguments)]


def grid(samples: int) -> list[str]:
    """The arguments that compare all scenarios."""
    listed = (",".join(f"{one:g}" for one in values) for values in (SPEEDS, AGENTS))
    speeds, agents = listed
    return ["compare", str(WORKFLOW), "--speed", speeds, "--agents", agents, "--samples", str(samples), "--json"]


def forecasts(samples: int) -> Cost:
    """80 single forecasts, from one of each of a few scenarios."""
    found = [
        process(command("forecast", WORKFLOW, "--speed", speed, "--agents", agents, "--samples", samples, "--json"))
        for speed, agents in STANDING_FOR_ALL
    ]
    task_times = len(SPEEDS) * len(AGENTS) / len(found)
    wall, cpu = sum(cost.wall for cost in found), sum(cost.cpu for cost in found)
    return Cost(wall * task_times, cpu * task_times, max(cost.megabytes for cost in found))


def lean(graph: Any, durations: list[float]) -> float:
    """The makespan of one sample by a SimPy model that has no more than this workflow needs."""
    import simpy

    starts, successors, in_degree, acquire, release, capacity = graph
    environment = simpy.Environment()
    pools = [simpy.Resource(environment, slots) for slots in capacity]
    held: list[list[Any]] = [[] for _ in pools]  # agents are alike: whichever is given back
    missing = in_degree[:]

    def task(i: int) -> Generator[simpy.Event, Any, None]:
        if durations[i] >= 0:  # else it is left out
            if acquire[i] >= 0:
                request = pools[acquire[i]].request()
                yield request
                held[acquire[i]].append(request)
            if durations[i]:
                yield environment.timeout(durations[i])
            if release[i] >= 0:
                pools[release[i]].release(held[release[i]].pop())
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


def simpy_seconds(samples: int) -> dict[str, float]:
    """CPU seconds of SimPy for one sample of all 80 scenarios, by program, and the share of samples that agree."""
    sys.path.insert(0, str(ROOT))
    from planner.engine import Samples, simulate
    from planner.expansion import expand
    from planner.loading import load
    from planner.timing.pipeline import Pipeline
    from tests import oracle

    workflow, _ = load(WORKFLOW).serving()
    seconds, equal = {"lean": 0.0, "oracle": 0.0}, 0
    for speed, agents in STANDING_FOR_ALL:
        task_graph = expand(workflow, {"engineers": agents})
        graph, pipeline = task_graph.graph, Pipeline.of(workflow, task_graph)
        durations = pipeline.draw(Samples(1, 0, samples), speed).at(speed).durations
        found = simulate(graph, durations).makespan.tolist()
        arrays = (
            graph.successor_start,
            graph.successors,
            graph.in_degree,
            graph.acquire,
            graph.release,
            graph.capacity,
        )
        lists, rows = [array.tolist() for array in arrays], durations.tolist()
        begun = time.thread_time()
        makespans = [lean(lists, row) for row in rows]
        between = time.thread_time()
        exact = [oracle.simulate(graph, row)[2] for row in rows]
        seconds["lean"] += between - begun
        seconds["oracle"] += time.thread_time() - between
        if exact != found:
            sys.exit("the tests' SimPy program differs from the kernel: nothing is measured")
        equal += sum(map(float.__eq__, makespans, found))
    share = equal / samples / len(STANDING_FOR_ALL)
    if share < AGREE:
        sys.exit(f"the lean SimPy model agrees in {share:.0%} of samples only: nothing is measured")
    each = len(SPEEDS) * len(AGENTS) / len(STANDING_FOR_ALL) / samples
    return {**{name: value * each for name, value in seconds.items()}, "agree": share}


def measure(sizes: Sequence[int], rounds: int, of_simpy: int) -> tuple[list[Row], float]:
    """All rows, and the share of samples in which the lean model agrees."""
    rows: list[Row] = []
    imports = [sys.executable, "-c", IMPORTING, *loaded(grid(2))]
    process(imports)
    found = json.loads(subprocess.check_output([sys.executable, __file__, "--simpy", str(of_simpy)], text=True))
    for samples in sizes:
        first = samples == sizes[0]
        commands = [command(*grid(samples)), imports] + [command(*grid(samples), "--threads", "1")] * first
        costs = [[process(each) for each in commands] for _ in range(rounds)]
        ours, importing, *alone = (median(each) for each in zip(*costs, strict=True))
        rows.append(Row(f"planner compare, 80 x {samples:,}", samples, ours))

        def beside(what: str, cost: Cost, extrapolated: bool = True, ours: Cost = ours, samples: int = samples) -> None:
            rows.append(Row(f"  {what}", samples, cost, cost.cpu / ours.cpu, extrapolated))

        beside("importing its libraries", importing, False)
        if first:
            rows.append(Row("  the same, one thread", samples, alone[0], alone[0].wall / ours.wall, by_wall=True))
            beside("80 single forecasts", forecasts(samples))
        for name, what in (("lean", "lean SimPy model, schedules only"), ("oracle", "SimPy program of the tests")):
            beside(what, Cost(found[name] * samples, found[name] * samples, 0.0))
    return rows, found["agree"]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure a grid of 80 scenarios (see the head of this file).")
    parser.add_argument("--quick", action="store_true", help="fewer samples and a single round")
    parser.add_argument("--output", type=Path, metavar="FILE", help="also write the results there, as JSON")
    parser.add_argument("--simpy", type=int, metavar="N", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.simpy:
        print(json.dumps(simpy_seconds(options.simpy)))
        return
    sizes, rounds, of_simpy = ((100, 500), 1, 2) if options.quick else ((1_000, 10_000), 3, 10)
    about = {"machine": f"{platform.platform()}, {os.cpu_count()} cores", "Python": platform.python_version(),
             "kernel": subprocess.check_output(command("--version"), text=True, cwd=ROOT).strip()}  # fmt: skip
    rows, agree = measure(sizes, rounds, of_simpy)
    print(*(f"{key:<8} {value}"[:80] for key, value in about.items()), sep="\n")
    print(f"\nwhole processes, median of {rounds}; ~ extrapolated; ratio: CPU time over the grid's")
    print(f"the lean SimPy model agrees in {agree:.1%} of {of_simpy * len(STANDING_FOR_ALL)} samples\n")
    print(f"{'':<38} {'wall, s':>9} {'CPU, s':>9} {'MB':>7} {'ratio':>9}")
    print(*rows, sep="\n")
    if options.output:  # whole or not at all
        result = {"about": about, "agree": agree, "rows": [asdict(row) for row in rows]}
        part = options.output.with_name(f".{options.output.name}.{os.getpid()}")
        part.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        part.replace(options.output)


if __name__ == "__main__":
    main()
