"""After how many runs a scenario has paid back what setting it up took."""

from __future__ import annotations

import math
from dataclasses import dataclass

from planner.planning.decisions.interval import (
    Interval,
    Samples,
    mean_difference,
    mean_of,
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
