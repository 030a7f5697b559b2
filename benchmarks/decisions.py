"""What decisions cost over the plain grid they are taken from: the budget is 30 % of the CPU time.

`compare` is called with decisions and without, in turn, on one thread, in this process; the plain grid is the same call
with the further scenarios left out that decisions simulate, and nothing decided. A command also starts Python and loads
libraries, which is measured as a process of its own and added to both sides for the last column.
Quartiles tell how far a ratio may be off on a busy machine.

    python benchmarks/decisions.py [--quick] [--output decisions.json]

Medians of pairs; --quick: three pairs, and no port of a codebase. Exit code 1 where a command exceeds the
budget, or a call that takes over a fifth of a second. Not on Windows.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from grid import ROOT, process
from start_up import IMPORTING, loaded

sys.path.insert(0, str(ROOT))

BUDGET = 1.30
SHORT = 0.2
"""CPU seconds of a call up to which the budget is the command's alone: two scenarios more are much of those."""

DEFAULT = ((1.0, 1.5, 2.5, 5.0, 8.0), (1, 2, 4, 8, 16))
README = ((1.0, 2.5, 5.0), (1, 2, 4, 8, 16))
TINY = ((1.0, 2.5), (1, 2))
GRIDS = (
    ("tiny: questions", "questions.yaml", TINY),
    ("tiny: parallel_qa", "parallel_qa.yaml", TINY),
    ("tiny: fix_bugs", "fix_bugs.yaml", TINY),
    ("default: one_request", "one_request.yaml", DEFAULT),
    ("default: interactive_chain", "interactive_chain.yaml", DEFAULT),
    ("README: fix_bugs", "fix_bugs.yaml", README),
    ("default: eval_500", "eval_500.yaml", DEFAULT),
    ("default: port_codebase", "port_codebase.yaml", DEFAULT),
)
SLOW = 2
"""The last ones take seconds a call."""


@dataclass(frozen=True)
class Row:
    """Of a grid: scenarios, CPU seconds without and with decisions, and ratios, of the call and of the command."""

    what: str
    scenarios: int
    plain: float
    decided: float
    ratio: float
    quartiles: tuple[float, float]
    command: float

    @property
    def met(self) -> bool:
        """Whether it keeps to the budget, as far as one is set."""
        return self.command <= BUDGET and (self.ratio <= BUDGET or self.plain < SHORT)

    def __str__(self) -> str:
        low, high = self.quartiles
        return (
            f"{self.what:<27}{self.scenarios:>5}{self.plain:>9.3f}{self.decided:>9.3f}{self.ratio:>7.2f}"
            f"  {low:.2f}…{high:.2f}{self.command:>9.2f}  {'met' if self.met else 'missed'}"
        )


@contextmanager
def undecided() -> Iterator[None]:
    """A comparison without decisions, and without the scenarios that only they need."""
    from planner.planning import ExtraScenarios, comparison

    def none(*_: Any) -> Any:
        return None

    nothing = mock.Mock(of=lambda *_: ExtraScenarios(1, (), None, ()))
    with mock.patch.multiple(comparison, Probes=nothing, _known=none, decide=none):
        yield


def seconds(workflow: Any, speeds: Sequence[float], agents: Sequence[int]) -> float:
    """CPU time of a comparison."""
    from planner.planning import compare
    from planner.sampling import ThreadBackend

    begun = time.process_time()
    compare(workflow, speeds, agents, backend=ThreadBackend(1))
    return time.process_time() - begun


def measure(pairs: int, slow: bool) -> list[Row]:
    """All grids."""
    from planner.loading import load

    imports = [
        sys.executable,
        "-c",
        IMPORTING,
        *loaded(["compare", str(ROOT / "workflows" / "one_request.yaml"), "--json"]),
    ]
    process(imports)
    importing = statistics.median(process(imports).cpu for _ in range(3))
    rows = []
    for what, name, (speeds, agents) in GRIDS if slow else GRIDS[:-SLOW]:
        workflow, _ = load(ROOT / "workflows" / name).serving()
        with undecided():
            seconds(workflow, speeds, agents)
        found = []
        for _ in range(pairs):
            with undecided():
                plain = seconds(workflow, speeds, agents)
            found.append((plain, seconds(workflow, speeds, agents)))
        ratios = sorted(decided / plain for plain, decided in found)
        quartiles = statistics.quantiles(ratios, n=4, method="inclusive")
        plain, decided = (statistics.median(column) for column in zip(*found, strict=True))
        command = (importing + plain * quartiles[1]) / (importing + plain)
        rows.append(
            Row(what, len(speeds) * len(agents), plain, decided, quartiles[1], (quartiles[0], quartiles[2]), command)
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what decisions cost (see the head of this file).")
    parser.add_argument("--quick", action="store_true", help="fewer pairs, and only grids of under a second")
    parser.add_argument("--output", type=Path, metavar="FILE", help="also write the results there, as JSON")
    options = parser.parse_args()
    about = {"machine": f"{platform.platform()}, {os.cpu_count()} cores", "Python": platform.python_version()}
    print(*(f"{key:<8} {value}"[:80] for key, value in about.items()), sep="\n")
    pairs = 3 if options.quick else 5
    rows = measure(pairs, not options.quick)
    print(f"\nCPU seconds of a call, medians of {pairs} pairs; budget: {BUDGET}\n")
    print(f"{'':<27}{'cells':>5}{'plain':>9}{'decided':>9}{'ratio':>7}  {'quartiles':<9}{'command':>10}")
    print(*rows, sep="\n")
    if options.output:  # whole or not at all
        result = {"about": about, "budget": BUDGET, "rows": [{**asdict(row), "met": row.met} for row in rows]}
        part = options.output.with_name(f".{options.output.name}.{os.getpid()}")
        part.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        part.replace(options.output)
    sys.exit(not all(row.met for row in rows))


if __name__ == "__main__":
    main()
