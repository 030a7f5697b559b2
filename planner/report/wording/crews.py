"""Agents of one crew or of several crews in words, and the numbers that the first screen of a comparison shows."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

from planner.planning.decisions.advice import Advice
from planner.planning.results import Others, Scenario
from planner.report.wording import quantities

MOST_COLUMNS = 4
"""Most numbers of the first crew on the first screen if several crews vary: the names of its rows are longer."""

_LONGEST_NAME = 16
"""Most characters of the agents of another crew in the name of a row of the first screen."""

MOST_COMBINATIONS = 3
"""Most combinations of the numbers of the other crews on the first screen."""


def crews_phrase(crew: str, scenario: Scenario) -> str:
    """Return the agents of all crews that vary: `8 coders and 2 reviewers`.

    crew : name of the first crew
    """
    return _and([quantities.crew(crew, scenario.agents), *(quantities.crew(*other) for other in scenario.others)])


def compact(others: Others) -> bool:
    """Return whether the names of table rows show only the numbers of `others`, because crews' names would not fit."""
    return len(others) > 1 or len(others_phrase(others)) > _LONGEST_NAME


def others_phrase(others: Others) -> str:
    """Return the agents of further crews, such as `2 reviewers, 1 tester`."""
    return ", ".join(quantities.crew(*other) for other in others)


def changed_phrases(crew: str, before: Scenario, after: Scenario) -> tuple[str, str]:
    """Return two phrases for the crews that change: the new numbers of agents with names, and the old numbers.

    For example, the phrases are `8 coders and 2 reviewers` and `4 and 1`.

    crew : name of the first crew
    """
    numbers = [(crew, before.agents, after.agents)]
    numbers += [(name, count, after.agents_of(name)) for name, count in before.others]
    changed = [each for each in numbers if each[1] != each[2]]
    return _and(quantities.crew(name, new) for name, _, new in changed), _and(f"{old:,}" for _, old, _ in changed)


def shown_numbers(
    advice: Advice, scenarios: Collection[Scenario], everything: bool = False
) -> tuple[tuple[int, ...], list[Others]]:
    """Choose the columns and rows of the table under the advice: numbers of the first crew, and of all other crews.

    The columns are numbers of agents of the first crew, in rising order. The rows are combinations of numbers of the
    other crews that vary, such as (("reviewers", 2),). If only one crew varies, all its numbers are columns, and the
    only row is the empty combination.

    If several crews vary, at most `MOST_COLUMNS` numbers and `MOST_COMBINATIONS` combinations are chosen. Recommended
    numbers come first, then declared numbers, then numbers near the recommended ones.

    everything : whether to return all numbers and combinations instead
    """
    agents = dict.fromkeys(scenario.agents for scenario in scenarios)
    combinations = dict.fromkeys(scenario.others for scenario in scenarios)
    if everything or list(combinations) == [()]:
        return tuple(agents), list(combinations)
    best, declared = advice.recommended, advice.declared

    def order(numbers: tuple[int, ...], best: tuple[int, ...], declared: tuple[int, ...]) -> tuple[bool, bool, float]:
        far = sum(abs(math.log(one / other)) for one, other in zip(numbers, best, strict=True))
        return numbers != best, numbers != declared, far

    def counts(others: Others) -> tuple[int, ...]:
        return tuple(count for _, count in others)

    columns = sorted(agents, key=lambda count: order((count,), (best.agents,), (declared.agents,)))[:MOST_COLUMNS]
    rows = sorted(combinations, key=lambda others: order(counts(others), counts(best.others), counts(declared.others)))
    return tuple(sorted(columns)), rows[:MOST_COMBINATIONS]


def _and(parts: Iterable[str]) -> str:
    parts = list(parts)
    return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)
