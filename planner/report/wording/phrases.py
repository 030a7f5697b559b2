"""Parts of sentences about results: scenarios by name, numbers with intervals, lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from planner.engine.intervals import Interval
from planner.planning.comparison_result import Comparison
from planner.planning.results import Scenario
from planner.report.wording import quantities

MOST_LISTED = 3
"""Largest number of scenarios that a list names."""


def models_vary(comparison: Comparison) -> bool:
    """Whether scenarios differ in their model."""
    return len({result.scenario.model for result in comparison.results}) > 1


def speeds_vary(comparison: Comparison) -> bool:
    """Whether scenarios differ in their speed."""
    return len({result.scenario.speed for result in comparison.results}) > 1


def row_name(comparison: Comparison, model: str, speed: float, prefix: str = "") -> str:
    """Return the name of a row of the grid. It has the model if models vary, and the speed if speeds vary.

    prefix : text before a speed other than 1x
    """
    factor = quantities.factor(speed) if speed == 1 else f"{prefix}{quantities.factor(speed)}"
    if not models_vary(comparison):
        return factor
    return f"{model} at {factor}" if speeds_vary(comparison) or speed != 1 else model


def row_of(comparison: Comparison, scenario: Scenario) -> str:
    """Name of the row of a scenario."""
    return row_name(comparison, scenario.model, scenario.speed)


def at_row(row: str) -> str:
    """Return the name of a row with a preposition: `at 2.5x` or `on MODEL`."""
    return f"at {row}" if row[0].isdigit() and row.endswith("x") and " " not in row else f"on {row}"


def agents_at(comparison: Comparison, scenario: Scenario) -> str:
    """Name of a scenario such as `4 agents at 2.5x`."""
    return f"{quantities.agents(scenario.agents)} {at_row(row_of(comparison, scenario))}"


def scenario_name(comparison: Comparison, scenario: Scenario) -> str:
    """Name of a scenario: `the baseline`, or a name as returned by `agents_at`."""
    return "the baseline" if scenario == comparison.baseline else agents_at(comparison, scenario)


def scenario_list(comparison: Comparison, scenarios: Sequence[Scenario]) -> str:
    """List the names of the first `MOST_LISTED` scenarios, and add the number of remaining scenarios."""
    first = ", ".join(scenario_name(comparison, scenario) for scenario in scenarios[:MOST_LISTED])
    return f"{first} and {len(scenarios) - MOST_LISTED} more" if len(scenarios) > MOST_LISTED else first


def with_interval(estimate: Interval, form: Callable[[float], str]) -> str:
    """Return a value and its interval: `12 (11 to 13)`. Omit the interval if its two ends have the same text."""
    value = form(estimate.value)
    if estimate.low is None or estimate.high is None:
        return value
    low, high = form(estimate.low), form(estimate.high)
    return value if low == high else f"{value} ({low} to {high})"


def number_list(numbers: Sequence[int]) -> str:
    """List numbers. Write consecutive numbers as a range: `1, 2, 4, 21 to 32`."""
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
    """Join alternatives: `1.5x, 2.5x or 5x`."""
    return " or ".join((", ".join(choices[:-1]), choices[-1])) if len(choices) > 1 else choices[0]
