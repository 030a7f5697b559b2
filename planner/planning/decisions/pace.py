"""The pace of a completion time: what somebody who waits for it does meanwhile, and rounds in a working day."""

from __future__ import annotations

from dataclasses import dataclass

from planner.planning.decisions.interval import Interval, Samples, quantile
from planner.planning.results import Scenario

WORKING_DAY = 8 * 3600.0

PACES = (
    ("at once", 1.0),
    ("within attention", 10.0),
    ("within patience", 60.0),
    ("a coffee", 900.0),
    ("a working day", WORKING_DAY),
)
"""Names and the longest seconds of each. 1 s and 10 s: Miller 1968, Nielsen 1993; the others are conventions."""

LONGER = "longer"


@dataclass(frozen=True)
class Pace:
    """Of a p50.

    names : the pace of the p50; two where its interval spans them, the quicker first
    rounds_per_day : working days of 8 h over p50, where people are in the loop; else None
    """

    scenario: Scenario
    p50: Interval
    names: tuple[str, ...]
    rounds_per_day: Interval | None


def name(seconds: float) -> str:
    """What a wait is called."""
    return next((word for word, longest in PACES if seconds <= longest), LONGER)


def pace(scenario: Scenario, samples: Samples, people: bool) -> Pace:
    """Of a scenario; `people`: whether they are in the loop."""
    p50 = quantile(samples.seconds, 0.5)
    ends = [end for end in (p50.low, p50.high) if end is not None] or [p50.value]
    rounds = None
    if people and min(ends):
        slowest, quickest = (None if end is None else WORKING_DAY / end for end in (p50.high, p50.low))
        rounds = Interval(WORKING_DAY / p50.value, slowest, quickest)
    return Pace(scenario, p50, tuple(dict.fromkeys(map(name, ends))), rounds)
