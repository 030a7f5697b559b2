"""How a completion time feels to a person who waits, and how many runs fit into a working day."""

from __future__ import annotations

from dataclasses import dataclass

from planner.planning.decisions.interval import Interval, ScenarioValues, quantile
from planner.planning.results import Scenario

WORKING_DAY = 8 * 3600.0

PACES = (
    ("at once", 1.0),
    ("within attention", 10.0),
    ("within patience", 60.0),
    ("a coffee", 900.0),
    ("a working day", WORKING_DAY),
)
"""Names of paces, and the longest seconds of each. 1 s and 10 s: Miller 1968, Nielsen 1993; the rest by convention."""

LONGER = "longer"


@dataclass(frozen=True)
class Pace:
    """The pace of a scenario.

    names : the pace of the p50; two, the quicker first, if the ends of its interval differ
    rounds_per_day : runs in a working day of 8 h at the p50; None without people in the loop
    """

    scenario: Scenario
    p50: Interval
    names: tuple[str, ...]
    rounds_per_day: Interval | None


def pace_name(seconds: float) -> str:
    """Name of the pace of a wait."""
    return next((name for name, longest in PACES if seconds <= longest), LONGER)


def pace(scenario: Scenario, samples: ScenarioValues, people: bool) -> Pace:
    """Find the pace of a scenario. people : whether people are in the loop"""
    p50 = quantile(samples.seconds, 0.5)
    ends = [end for end in (p50.low, p50.high) if end is not None] or [p50.value]
    rounds = None
    if people and min(ends):
        slowest, quickest = (None if end is None else WORKING_DAY / end for end in (p50.high, p50.low))
        rounds = Interval(WORKING_DAY / p50.value, slowest, quickest)
    return Pace(scenario, p50, tuple(dict.fromkeys(map(pace_name, ends))), rounds)
