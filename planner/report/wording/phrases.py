"""Parts of sentences on decisions: scenarios by name, numbers with their intervals, lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from planner.planning.comparison_result import Comparison
from planner.planning.decisions.interval import Interval
from planner.planning.results import Scenario
from planner.report.wording import quantities

MOST = 3
"""Scenarios that a line lists."""


def row(comparison: Comparison, scenario: Scenario) -> str:
    """Its row, by name."""
    return quantities.row_name(comparison, scenario.model, scenario.speed)


def at(name: str) -> str:
    """Speeds are worked at, models on."""
    return f"at {name}" if name[0].isdigit() and name.endswith("x") and " " not in name else f"on {name}"


def agents_at(comparison: Comparison, scenario: Scenario) -> str:
    """`4 agents at 2.5x`."""
    return f"{quantities.agents(scenario.agents)} {at(row(comparison, scenario))}"


def name(comparison: Comparison, scenario: Scenario) -> str:
    """The same, and `the baseline` where it is that."""
    return "the baseline" if scenario == comparison.baseline else agents_at(comparison, scenario)


def names(comparison: Comparison, scenarios: Sequence[Scenario]) -> str:
    """The first of them, and how many more there are."""
    shown = ", ".join(name(comparison, one) for one in scenarios[:MOST])
    return f"{shown} and {len(scenarios) - MOST} more" if len(scenarios) > MOST else shown


def ranged(found: Interval, show: Callable[[float], str]) -> str:
    """A number, and its interval where it shows."""
    if found.low is None or found.high is None:
        return show(found.value)
    low, high = show(found.low), show(found.high)
    middle = show(found.value)
    return middle if low == high else f"{middle} ({low} to {high})"


def listed(numbers: Sequence[int]) -> str:
    """`1, 2, 4, 21 to 32`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = [
        f"{run[0]:,} to {run[-1]:,}" if len(run) > 2 else ", ".join(f"{number:,}" for number in run) for run in runs
    ]
    return ", ".join(parts)


def either(choices: Sequence[str]) -> str:
    """`1.5x, 2.5x or 5x`."""
    return " or ".join((", ".join(choices[:-1]), choices[-1])) if len(choices) > 1 else choices[0]
