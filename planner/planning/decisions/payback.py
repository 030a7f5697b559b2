"""The number of runs after which a scenario has paid back its setup, and the pace of its runs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from planner.engine.intervals import Interval, mean_difference, mean_of, quantile
from planner.planning.decisions.chances import ScenarioValues
from planner.planning.decisions.money import HOUR
from planner.planning.results import Scenario


@dataclass(frozen=True)
class Setup:
    """The time and cost of setting up a scenario before its first run.

    runs : planned number of runs after the setup; None if unknown
    """

    seconds: float
    usd: float
    runs: int | None = None


@dataclass(frozen=True)
class PaybackRuns:
    """The least number of runs whose savings pay back a setup.

    runs : number of runs for the estimated savings per run
    low : fewest runs, for the upper end of the 95% interval of the savings
    high : most runs, for the lower end of this interval

    A field is None if the savings are unknown or never pay back the setup.
    """

    runs: int | None
    low: int | None
    high: int | None


@dataclass(frozen=True)
class Payback:
    """The runs that pay back the setup of a scenario, and the savings of all planned runs.

    A scenario is compared with one agent at the declared speed, which needs no setup.

    time : number of runs that save as much time as the setup takes
    usd : number of runs that save as much money as the setup costs; None if a cost is unknown
    value : number of runs that pay back time and cost together, with time converted to US dollars; None if a cost or
        the value of time is unknown
    seconds_saved : seconds saved by all planned runs, minus the setup; None if the number of runs is unknown
    usd_saved : US dollars saved by all planned runs, minus the setup; None if the number of runs or a cost is unknown
    """

    scenario: Scenario
    time: PaybackRuns
    usd: PaybackRuns | None
    value: PaybackRuns | None
    seconds_saved: Interval | None
    usd_saved: Interval | None


def payback(
    scenario: Scenario,
    samples: ScenarioValues,
    one: ScenarioValues,
    setup: Setup,
    usd_per_hour: float | None,
    waiting: float,
) -> Payback:
    """Return the number of runs until a scenario has paid back its setup, in time and in money.

    samples : samples of the scenario
    one : samples of one agent at the declared speed, with which the scenario is compared
    usd_per_hour : value of an hour of each person in US dollars; None if unknown
    waiting : number of people who wait for a run
    """
    seconds_per_run = mean_difference(one.seconds, samples.seconds)
    usd_per_run = value = None
    if samples.usd is not None and one.usd is not None:
        usd_per_run = mean_difference(one.usd, samples.usd)
        if usd_per_hour is not None:
            hour = usd_per_hour / HOUR
            saved = one.usd.first - samples.usd.first
            saved = saved + hour * waiting * (one.seconds.first - samples.seconds.first)
            value = runs_to_pay_back(setup.usd + hour * setup.seconds, mean_of(saved))
    return Payback(
        scenario,
        runs_to_pay_back(setup.seconds, seconds_per_run),
        None if usd_per_run is None else runs_to_pay_back(setup.usd, usd_per_run),
        value,
        _net_savings(seconds_per_run, setup.seconds, setup.runs),
        None if usd_per_run is None else _net_savings(usd_per_run, setup.usd, setup.runs),
    )


def runs_to_pay_back(once: float, per_run: Interval) -> PaybackRuns:
    """Return the least number of runs whose savings pay back a setup.

    once : time or cost of the setup
    per_run : savings per run, in the same unit as `once`
    """

    def runs(saved: float | None) -> int | None:
        if saved is None or (once > 0 and saved <= 0):
            return None
        return math.ceil(once / saved) if once else 0

    return PaybackRuns(runs(per_run.value), runs(per_run.high), runs(per_run.low))


def _net_savings(per_run: Interval, once: float, runs: int | None) -> Interval | None:
    if runs is None:
        return None
    ends = [None if end is None else runs * end - once for end in (per_run.low, per_run.high)]
    return Interval(runs * per_run.value - once, *ends)


PACES = (
    ("at once", 1.0),
    ("within attention", 10.0),
    ("within patience", 60.0),
    ("a coffee", 900.0),
    ("8 hours", 28_800.0),
)
"""Names of paces, each with its most seconds. 1 s and 10 s are from Miller 1968 and Nielsen 1993."""

LONGER = "longer"


@dataclass(frozen=True)
class Pace:
    """How quick a scenario is: its p50, and a name such as ``a coffee`` for 1 to 15 minutes.

    p50 : median completion time in seconds
    names : one name. If the 95% interval of the p50 reaches from one name to another, the names of both ends
    """

    scenario: Scenario
    p50: Interval
    names: tuple[str, ...]


def pace_name(seconds: float) -> str:
    """Return the name for a completion time, for example ``a coffee`` for 600 seconds."""
    return next((name for name, longest in PACES if seconds <= longest), LONGER)


def pace(scenario: Scenario, samples: ScenarioValues) -> Pace:
    """Return the p50 of a scenario's completion time, and a name for it such as ``a coffee``."""
    p50 = quantile(samples.seconds, 0.5)
    ends = [end for end in (p50.low, p50.high) if end is not None] or [p50.value]
    return Pace(scenario, p50, tuple(dict.fromkeys(map(pace_name, ends))))
