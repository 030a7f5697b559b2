"""After how many runs a scenario has paid back what setting it up took."""

from __future__ import annotations

import math
from dataclasses import dataclass

from planner.planning.decisions.interval import (
    Interval,
    Samples,
    mean_difference,
    mean_of,
    quantile,
)
from planner.planning.decisions.money import HOUR
from planner.planning.results import Scenario


@dataclass(frozen=True)
class Setup:
    """What a scenario takes once, before its first run, and how often it is then run, if that is known."""

    seconds: float
    usd: float
    runs: int | None = None


@dataclass(frozen=True)
class Count:
    """The least number of runs that pays back; None: no number does. low, high : at the ends of the interval."""

    runs: int | None
    low: int | None
    high: int | None


@dataclass(frozen=True)
class Payback:
    """Of a scenario against the baseline, which needs no setup.

    time, usd : runs after which it has saved the setup's time, and its cost
    value : runs after which it has saved both at the value of time; None where no value is given
    seconds_saved, usd_saved : by all runs, the setup taken off; None where the number of runs, or cost, is not known
    """

    scenario: Scenario
    time: Count
    usd: Count | None
    value: Count | None
    seconds_saved: Interval | None
    usd_saved: Interval | None


def payback(
    scenario: Scenario, samples: Samples, baseline: Samples, setup: Setup, usd_per_hour: float | None, waiting: float
) -> Payback:
    """Whoever sets it up is one person, at the value of time; those who wait for a run are `waiting`."""
    less = mean_difference(baseline.seconds, samples.seconds)
    cheaper = value = None
    if samples.usd is not None and baseline.usd is not None:
        cheaper = mean_difference(baseline.usd, samples.usd)
        if usd_per_hour is not None:
            hour = usd_per_hour / HOUR
            apart = baseline.usd.first - samples.usd.first
            saved = apart + hour * waiting * (baseline.seconds.first - samples.seconds.first)
            value = count(setup.usd + hour * setup.seconds, mean_of(saved))
    return Payback(
        scenario,
        count(setup.seconds, less),
        None if cheaper is None else count(setup.usd, cheaper),
        value,
        _saved(less, setup.seconds, setup.runs),
        None if cheaper is None else _saved(cheaper, setup.usd, setup.runs),
    )


def count(once: float, each: Interval) -> Count:
    """Runs after which what each saves adds up to what was spent once."""

    def runs(saved: float | None) -> int | None:
        if saved is None or (once > 0 and saved <= 0):
            return None
        return math.ceil(once / saved) if once else 0

    return Count(runs(each.value), runs(each.high), runs(each.low))


def _saved(each: Interval, once: float, runs: int | None) -> Interval | None:
    if runs is None:
        return None
    ends = [None if end is None else runs * end - once for end in (each.low, each.high)]
    return Interval(runs * each.value - once, *ends)


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
