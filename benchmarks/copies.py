"""What copies cost: CPU time of a forecast of a million copies of a request, over that of as many items.

One sample of one request, with `for_each`, `best_of` and `first_of`, in turn. Each runs in a process of its own. Its
CPU time counts, of all threads, with starting Python. The ratio is the median of the ratios of some rounds; the goal is
at most 2.

    python benchmarks/copies.py [--quick]

--quick takes 100,000 copies, and one round instead of three.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOOPS = ("for_each", "best_of", "first_of")
GOAL = 2.0

WORKFLOW = """workflow: copies
model: a
models: {{a: {{ttft: 1s, output_speed: 64}}}}
steps: {{ask: {{{loop}: {count}, llm: {{output: 10}}}}}}
"""


def seconds(loop: str, count: int, folder: Path) -> float:
    """CPU time of a forecast of one sample."""
    file = folder / f"{loop}.yaml"
    file.write_text(WORKFLOW.format(loop=loop, count=count), encoding="utf-8")
    before = os.times()
    command = [sys.executable, "-m", "planner", "forecast", str(file), "--samples", "1", "--threads", "1"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = os.times()
    return after.children_user - before.children_user + after.children_system - before.children_system


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what copies cost (see the head of this file).")
    parser.add_argument("--quick", action="store_true", help="100,000 copies, one round")
    options = parser.parse_args()
    count, rounds = (100_000, 1) if options.quick else (1_000_000, 3)
    with tempfile.TemporaryDirectory() as name:
        costs = [{loop: seconds(loop, count, Path(name)) for loop in LOOPS} for _ in range(rounds)]
    print(f"CPU seconds of {count:,}, one sample, medians of {rounds}; goal: at most {GOAL:g}\n")
    for loop in LOOPS:
        median = statistics.median(each[loop] for each in costs)
        ratio = statistics.median(each[loop] / each["for_each"] for each in costs)
        print(
            f"{loop:<9}{median:>7.2f}{ratio:>7.2f}"
            + ("" if loop == "for_each" else f"  {'met' if ratio <= GOAL else 'missed'}")
        )


if __name__ == "__main__":
    main()
