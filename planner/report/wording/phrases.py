"""Parts of sentences about results: scenarios by name, numbers with intervals, lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from planner.engine.intervals import Interval
from planner.errors import printable
from planner.expansion.graph.task_graph import DEFAULT_CREW
from planner.planning.baseline import Baseline
from planner.planning.comparison_result import Comparison
from planner.planning.results import Scenario
from planner.report.wording import quantities
from planner.report.wording.crews import crews_phrase

MOST_LISTED = 3
"""Largest number of scenarios that a list names."""


def models_vary(comparison: Comparison) -> bool:
    """Return whether the scenarios of a comparison have different models."""
    return len({result.scenario.model for result in comparison.results}) > 1


def speeds_vary(comparison: Comparison) -> bool:
    """Return whether the scenarios of a comparison have different speeds."""
    return len({result.scenario.speed for result in comparison.results}) > 1


def row_name(comparison: Comparison, model: str, speed: float, prefix: str = "") -> str:
    """Return the name of a row of the grid: `2.5x`, `opus` or `opus at 2.5x`.

    The model is left out if all rows have the same one. If only models differ, the speed 1x is left out.

    prefix : text before a speed that is not 1x
    """
    factor = quantities.factor(speed) if speed == 1 else f"{prefix}{quantities.factor(speed)}"
    if not models_vary(comparison):
        return factor
    return f"{model} at {factor}" if speeds_vary(comparison) or speed != 1 else model


def row_of(comparison: Comparison, scenario: Scenario) -> str:
    """Return the name of the grid row that contains a scenario."""
    return row_name(comparison, scenario.model, scenario.speed)


def at_row(row: str) -> str:
    """Add a preposition to the name of a row: `at 2.5x` or `on opus`."""
    return f"at {row}" if row[0].isdigit() and row.endswith("x") and " " not in row else f"on {row}"


def agents_at(comparison: Comparison, scenario: Scenario) -> str:
    """Return the name of a scenario, such as `4 fixers at 2.5x` or `4 coders and 2 reviewers at 1x`."""
    return f"{crews_phrase(comparison.crew, scenario)} {at_row(row_of(comparison, scenario))}"


def other_crews_phrase(comparison: Comparison) -> str:
    """Return ` (other crews as declared)` if several crews vary; otherwise an empty text."""
    return " (other crews as declared)" if comparison.advice.declared.others else ""


MOST_CREWS = 3
"""Largest number of crews that the name of a baseline lists."""


def baseline_agents(baseline: Baseline) -> str:
    """Return the agents of a baseline in words: `one fixer`, `one coder and one reviewer`, `one agent of desk`.

    If the baseline has no crews of agents, return `declared`.
    """
    crews = [_one_of(crew) for crew in baseline.crews]
    if not crews:
        return "declared"
    if len(crews) > MOST_CREWS:
        return f"one agent in each of {len(crews)} crews"
    return " and ".join(part for part in (", ".join(crews[:-1]), crews[-1]) if part)


def _one_of(crew: str) -> str:
    """Return a phrase for one agent of a crew: `one fixer` for the crew `fixers`, or `one agent of desk`.

    The agents of a workflow without crews have no name: `one agent`.
    """
    if crew == DEFAULT_CREW:
        return "one agent"
    regular = len(crew) > 3 and crew.islower() and crew.endswith("s") and not crew.endswith(("ss", "us", "is", "ies"))
    return f"one {printable(crew[:-1])}" if regular else f"one agent of {printable(crew)}"


def with_interval(estimate: Interval, form: Callable[[float], str]) -> str:
    """Return a value with its interval: `12 (11 to 13)`. If both ends have the same text, omit the interval.

    form : function that formats a number as text
    """
    value = form(estimate.value)
    if estimate.low is None or estimate.high is None:
        return value
    low, high = form(estimate.low), form(estimate.high)
    return value if low == high else f"{value} ({low} to {high})"


def number_list(numbers: Sequence[int]) -> str:
    """Return a list of numbers as text. Three or more consecutive numbers become a range: `1, 2, 4, 21 to 32`."""
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
    """Join alternatives with commas and `or`: `1.5x, 2.5x or 5x`."""
    return " or ".join((", ".join(choices[:-1]), choices[-1])) if len(choices) > 1 else choices[0]
