"""Time against cost: what is worth choosing from, what an hour costs, and what to choose at a value of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from planner.engine.arrays import Floats
from planner.engine.statistics import Values
from planner.planning.decisions.interval import (
    Interval,
    Samples,
    mean,
    mean_difference,
    mean_of,
    quantile,
    ratio_of_means,
)
from planner.planning.decisions.verdict import ALIKE
from planner.planning.results import Scenario

HOUR = 3600.0

Cells = Mapping[Scenario, Samples]


@dataclass(frozen=True)
class Choice:
    """A scenario that is quicker by over 1 % than all that cost no more. usd : mean cost."""

    scenario: Scenario
    seconds: Interval
    usd: Interval


@dataclass(frozen=True)
class Trade:
    """From one corner of the lower hull to the next. usd_per_hour : more mean cost for each hour less of the mean."""

    cheaper: Scenario
    quicker: Scenario
    seconds_less: Interval
    usd_more: Interval
    usd_per_hour: Interval


@dataclass(frozen=True)
class BreakEven:
    """From which value of an hour a row pays, against the first row with as many agents.

    pays : ``from`` usd_per_hour on; ``up to`` it where it is slower and cheaper; ``always``: quicker and not dearer;
        ``never``: dearer and not quicker, none of it surely otherwise; or ``unclear``
    usd_per_hour : of a person who waits
    """

    model: str
    speed: float
    agents: int
    pays: str
    usd_per_hour: Interval | None


@dataclass(frozen=True)
class Value:
    """What is best if an hour of each who waits is worth so much.

    total : mean cost and the value of the mean time, USD
    gain : what it is better by than the baseline, USD
    alike : scenarios that are not surely worse
    """

    usd_per_hour: float
    waiting: float
    best: Scenario
    total: Interval
    gain: Interval
    alike: tuple[Scenario, ...]


def pareto(cells: Cells, q: float) -> tuple[Choice, ...]:
    """Scenarios from the cheapest to the quickest by a percentile; of equal ones that with fewest agents."""
    time = {scenario: samples.seconds.quantile(q) for scenario, samples in cells.items()}
    cost = {scenario: _usd(samples) for scenario, samples in cells.items()}
    return tuple(
        Choice(scenario, quantile(cells[scenario].seconds, q), mean(_priced(cells[scenario])))
        for scenario in _front(list(cells), time, cost)
    )


def price_of_an_hour(cells: Cells) -> tuple[Trade, ...]:
    """Along the lower convex hull of means, from the cheapest scenario to the quickest."""
    time = {scenario: samples.seconds.mean for scenario, samples in cells.items()}
    cost = {scenario: _usd(samples) for scenario, samples in cells.items()}
    hull: list[Scenario] = []
    for point in _front(list(cells), time, cost):
        while len(hull) > 1 and _slope(hull[-2], hull[-1], time, cost) >= _slope(hull[-1], point, time, cost):
            hull.pop()
        hull.append(point)
    return tuple(_trade(cheaper, quicker, cells) for cheaper, quicker in pairwise(hull))


def break_evens(first: Cells, others: Cells, waiting: float) -> tuple[BreakEven, ...]:
    """Of every other row, against the scenario of `first` that has as many agents."""
    by_agents = {scenario.agents: samples for scenario, samples in first.items()}
    found = []
    for scenario, samples in others.items():
        base = by_agents[scenario.agents]
        less = mean_difference(base.seconds, samples.seconds)
        more = mean_difference(_priced(samples), _priced(base))
        pays, price = "unclear", None
        if (less.above and more.above) or (less.below and more.below):
            apart = _priced(samples).first - _priced(base).first
            price = ratio_of_means(apart, base.seconds.first - samples.seconds.first).times(HOUR / waiting)
            pays = "from" if less.above else "up to"
        elif less.above and not more.above:
            pays = "always"
        elif not less.above and more.above:
            pays = "never"
        found.append(BreakEven(scenario.model, scenario.speed, scenario.agents, pays, price))
    return tuple(found)


def value_of_time(cells: Cells, baseline: Samples, usd_per_hour: float, waiting: float) -> Value:
    """The scenario of the least mean cost and waiting."""
    each = usd_per_hour * waiting / HOUR

    def total(samples: Samples) -> Floats:
        return _priced(samples).first + each * samples.seconds.first

    best = min(cells, key=lambda one: (_usd(cells[one]) + each * cells[one].seconds.mean, one.agents))
    least = total(cells[best])
    alike = tuple(one for one, samples in cells.items() if not mean_of(total(samples) - least).above)
    return Value(usd_per_hour, waiting, best, mean_of(least), mean_of(total(baseline) - least), alike)


def _front(
    points: Sequence[Scenario], time: Mapping[Scenario, float], cost: Mapping[Scenario, float]
) -> list[Scenario]:
    """From the cheapest on, whatever is over 1 % quicker than all before; of about equals that of fewest agents."""
    kept: list[Scenario] = []
    for point in sorted(points, key=lambda one: (cost[one], time[one], one.agents)):
        if not kept or time[point] < time[kept[-1]] * (1 - ALIKE):
            if kept and cost[point] <= cost[kept[-1]]:
                kept.pop()
            kept.append(point)
    return [_fewest(point, points, time, cost) for point in kept]


def _fewest(
    point: Scenario, points: Sequence[Scenario], time: Mapping[Scenario, float], cost: Mapping[Scenario, float]
) -> Scenario:
    """Of those that cost as much and are about as quick, the one with fewest agents."""
    near = 1e-9 * cost[point]
    equal = [one for one in points if abs(cost[one] - cost[point]) <= near and time[one] <= time[point] * (1 + ALIKE)]
    return min(equal, key=lambda one: (one.agents, time[one]))


def _slope(one: Scenario, other: Scenario, time: Mapping[Scenario, float], cost: Mapping[Scenario, float]) -> float:
    return (cost[other] - cost[one]) / (time[one] - time[other])


def _trade(cheaper: Scenario, quicker: Scenario, cells: Cells) -> Trade:
    one, other = cells[cheaper], cells[quicker]
    more = _priced(other).first - _priced(one).first
    less = one.seconds.first - other.seconds.first
    return Trade(cheaper, quicker, mean_of(less), mean_of(more), ratio_of_means(more, less).times(HOUR))


def _priced(samples: Samples) -> Values:
    """Cost, where it is known."""
    assert samples.usd is not None
    return samples.usd


def _usd(samples: Samples) -> float:
    return _priced(samples).mean
