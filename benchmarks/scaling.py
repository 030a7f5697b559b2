"""How the cost of a plan grows with its steps, items, agents and samples: exponents k of cost ~ size^k.

Each series varies one of them, doubling it, and keeps the others:

- steps: a graph in which each step needs two before it, of requests, agent loops and tools; 200 samples;
- items: a fan-out over 8 agents, each item an agent loop, a test and a review, with briefs, reports and merges; 100
  samples;
- agents: a fan-out of 128 such items, with ramp-ups, messages and conflicts too; 100 samples;
- samples: a fan-out of 32 items over 8 agents.

The cost is CPU time, of all threads, of reading the workflow and comparing two scenarios, this one and one agent, in a
process that has run it before: the least of some rounds, which take the sizes in turn. The exponent is the slope of a
straight line through logarithms of cost and size by least squares, over the larger half of the sizes, where fixed costs
weigh less; its error is the standard error of that slope. An exponent of 1: twice the size costs twice as much.

    python benchmarks/scaling.py [--quick] [--output scaling.json]

--quick leaves out the three largest sizes, and runs one round instead of three.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this checkout, not an installed copy

import planner
from planner import engine

HEAD = """workflow: scaling
model: a
models: {a: {ttft: 0.5s to 2s, prefill_speed: 5k, output_speed: 40 to 90, price: {input: 3, output: 15}}}
"""
AGENT = "agent: {turns: 4 to 12, prompt: 8k, output: 200 to 900, tool: {time: 1s to 9s, result: 300 to 3k}}"
PLAIN = "brief: {output: 300}, report: {output: 200}, merge: 20s to 90s"
GROWING = "ramp_up: {input: 25k, output: 600}, sync: {output: 150, every: 5}, conflict: {chance: 0.2%, rework: 30%}"


@dataclass(frozen=True)
class Plan:
    """What is timed: a workflow's text, a number of agents, a number of samples."""

    text: str
    agents: int
    samples: int


@dataclass(frozen=True)
class Series:
    """CPU seconds by size, with the exponent and its standard error."""

    varied: str
    sizes: tuple[int, ...]
    seconds: tuple[float, ...]
    exponent: float
    error: float


def of_steps(steps: int) -> Plan:
    lines = [f"{HEAD}steps:"]
    for index in range(steps):
        needs = f"needs: [{', '.join(f's{need}' for need in {max(0, index - 2), index - 1})}], " if index else ""
        body = ("llm: {input: 2k to 9k, output: 300 to 1500}", AGENT, "tool: 10s to 60s")[index % 3]
        lines.append(f"  s{index}: {{{needs}{body}}}")
    return Plan("\n".join(lines) + "\n", 4, 200)


def fan_out(items: int, coordination: str) -> str:
    return f"""{HEAD}crews: {{team: {{agents: 8, coordination: {{{coordination}}}}}}}
steps:
  work:
    for_each: {items}
    crew: team
    steps:
      edit: {{{AGENT}}}
      test: {{needs: edit, tool: 30s to 4min, hold: false}}
      review: {{needs: test, llm: {{input: 9k, output: 300 to 900}}}}
"""


def of_items(items: int) -> Plan:
    return Plan(fan_out(items, PLAIN), 8, 100)


def of_agents(agents: int) -> Plan:
    return Plan(fan_out(128, f"{PLAIN}, {GROWING}"), agents, 100)


def of_samples(samples: int) -> Plan:
    return Plan(fan_out(32, PLAIN), 8, samples)


SERIES: dict[str, tuple[Callable[[int], Plan], tuple[int, ...]]] = {
    "steps": (of_steps, (8, 16, 32, 64, 128, 256, 512, 1024)),
    "items": (of_items, (8, 16, 32, 64, 128, 256, 512, 1024)),
    "agents": (of_agents, (2, 4, 8, 16, 32, 64, 128)),
    "samples": (of_samples, (128, 256, 512, 1024, 2048, 4096, 8192)),
}


def seconds(plan: Plan) -> float:
    """CPU time of reading and comparing."""
    begun = time.process_time()
    workflow = planner.load_workflow(plan.text)
    planner.compare(workflow, speeds=[1], agents=[plan.agents], samples=plan.samples)
    return time.process_time() - begun


def fitted(sizes: Sequence[int], costs: Sequence[float]) -> tuple[float, float]:
    """The slope of costs over sizes in logarithms, and its standard error; of the larger half, at least three."""
    points = max(3, (len(sizes) + 1) // 2)
    x, y = ([math.log(value) for value in values[-points:]] for values in (sizes, costs))
    middle, level = sum(x) / points, sum(y) / points
    spread = sum((one - middle) ** 2 for one in x)
    slope = sum((one - middle) * (other - level) for one, other in zip(x, y, strict=True)) / spread
    left = sum((other - level - slope * (one - middle)) ** 2 for one, other in zip(x, y, strict=True))
    return slope, math.sqrt(left / (points - 2) / spread)


def measure(varied: str, leave_out: int, rounds: int) -> Series:
    """One series."""
    make, sizes = SERIES[varied]
    sizes = sizes[: len(sizes) - leave_out]
    plans = [make(size) for size in sizes]
    seconds(plans[0])  # what is imported and cached is not the plan's
    costs = [min(found) for found in zip(*([seconds(plan) for plan in plans] for _ in range(rounds)), strict=True)]
    return Series(varied, sizes, tuple(costs), *fitted(sizes, costs))


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how cost grows (see the head of this file).")
    parser.add_argument("--quick", action="store_true", help="without the three largest sizes, one round")
    parser.add_argument("--output", type=Path, metavar="FILE", help="also write the results there, as JSON")
    options = parser.parse_args()
    about = {"machine": f"{platform.platform()}, {os.cpu_count()} cores", "Python": platform.python_version(),
             "kernel": engine.status()}  # fmt: skip
    print(*(f"{key:<8} {value}"[:80] for key, value in about.items()), sep="\n")
    print("\nCPU seconds; exponent of the larger half of the sizes, with its standard error")
    found = []
    for varied in SERIES:
        one = measure(varied, 3 if options.quick else 0, 1 if options.quick else 3)
        found.append(one)
        print(f"\n{varied:<8}" + "".join(f"{size:>8,}" for size in one.sizes))
        print(f"{'CPU, s':<8}" + "".join(f"{cost:>8.3f}" for cost in one.seconds))
        print(f"{'exponent':<8}{one.exponent:>8.2f} ± {one.error:.2f}", flush=True)
    if options.output:  # whole or not at all
        result = {"about": about, "series": [asdict(one) for one in found]}
        part = options.output.with_name(f".{options.output.name}.{os.getpid()}")
        part.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        part.replace(options.output)


if __name__ == "__main__":
    main()
