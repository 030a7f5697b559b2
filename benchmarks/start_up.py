"""How long `planner compare` takes beside importing the libraries it uses.

A workflow of 20 steps, 40 scenarios x 1,000 samples, as a whole process, in turn with a process that only imports what
the first one loads and we did not write: the median of seven paired ratios. Goal: at most 2.

    python benchmarks/start_up.py [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 7
GOAL = 2.0
LOADED = """
import sys
from planner.cli.app import app
sys.stdout = sys.stderr
try:
    app(sys.argv[1:])
finally:
    print(*(name for name in sys.modules if not name.startswith(("planner", "__"))), file=sys.__stdout__)
"""


def workflow() -> str:
    """Twenty steps: two branches that meet, agents, requests, tools and an approval."""
    lines = [
        "workflow: twenty-steps",
        "model: a",
        "models: {a: {ttft: 0.5s to 2s, prefill_speed: 5k, output_speed: 40 to 90, price: {input: 3, output: 15}}}",
        "steps:",
    ]
    for index in range(20):
        needs = f"needs: [{', '.join(f's{need}' for need in {max(0, index - 2), index - 1})}], " if index else ""
        if index == 19:
            body = "human: 5min to 1h"
        elif index % 4 == 1:
            body = "agent: {turns: 4 to 12, prompt: 8k, output: 200 to 900, tool: {time: 1s to 9s, result: 300 to 3k}}"
        elif index % 4 == 3:
            body = "tool: 10s to 60s"
        else:
            body = "llm: {input: 2k to 9k, output: 300 to 1500}"
        lines.append(f"  s{index}: {{{needs}{body}}}")
    return "\n".join(lines) + "\n"


def seconds(command: list[str]) -> float:
    """Wall-clock of a whole process, which must succeed."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}  # as users have it
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=kept)
    return time.perf_counter() - start


IMPORTING = """
import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ImportError:  # made up by its package
        pass
"""


def loaded(arguments: list[str]) -> list[str]:
    """The modules of others that a command loads, in their order."""
    run = subprocess.run([sys.executable, "-c", LOADED, *arguments], check=True, capture_output=True, text=True)
    return run.stdout.split()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="also write the figures to a file")
    target = parser.parse_args().json
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "twenty.yaml")
        file.write_text(workflow(), encoding="utf-8")
        grid = ["--speed", "1,1.5,2,2.5,3,4,5,8", "--agents", "1,2,4,8,16"]
        arguments = ["compare", str(file), *grid, "--samples", "1000"]
        compare = [sys.executable, "-m", "planner", *arguments]
        imports = [sys.executable, "-c", IMPORTING, *loaded(arguments)]
        seconds(compare), seconds(imports)
        pairs = [(seconds(compare), seconds(imports)) for _ in range(ROUNDS)]
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    figures = {
        "compare_seconds": statistics.median(ours for ours, _ in pairs),
        "imports_seconds": statistics.median(theirs for _, theirs in pairs),
        "ratio": ratio,
        "goal": GOAL,
    }
    print(f"planner compare, 20 steps, 40 scenarios x 1,000 samples   {figures['compare_seconds']:.2f} s")
    print(f"importing the libraries that it loads                     {figures['imports_seconds']:.2f} s")
    verdict = "met" if ratio <= GOAL else "missed"
    print(f"ratio, median of {ROUNDS} pairs: {ratio:.2f}   (goal at most {GOAL:g}: {verdict})")
    if target:
        target.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
