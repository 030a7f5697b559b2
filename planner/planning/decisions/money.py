"""Time against cost: the Pareto set, the price of an hour saved, and the break-even value of an hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from planner.engine.intervals import Interval, mean, mean_difference, mean_of, quantile, ratio_of_means
from planner.engine.statistics import Values
from planner.planning.decisions.chances import ScenarioValues
from planner.planning.results import ALIKE, Scenario

HOUR = 3600.0

ByScenario = Mapping[Scenario, ScenarioValues]


@dataclass(frozen=True)
class ParetoPoint:
    """A scenario that is over 1% quicker than all cheaper scenarios.

    seconds : p50 or p90 of the scenario's completion time
    usd : mean cost of the scenario in US dollars
    """

    scenario: Scenario
    seconds: Interval
    usd: Interval


@dataclass(frozen=True)
class Trade:
    """The change from one scenario to a quicker scenario that costs more: it buys time for money.

    Both scenarios are neighbours on the lower convex hull of mean time and mean cost.

    seconds_less : mean seconds saved
    usd_more : mean US dollars added
    usd_per_hour : US dollars added per hour saved
    """

    cheaper: Scenario
    quicker: Scenario
    seconds_less: Interval
    usd_more: Interval
    usd_per_hour: Interval


@dataclass(frozen=True)
class BreakEven:
    """How much an hour of waiting must be worth, so that a model at one speed is as good as the first one of a grid.

    Both are compared for the same number of agents. A difference in time or cost counts only if its whole 95% interval
    is above or below 0.

    model, speed : the model and speed that are compared with the first ones
    usd_per_hour : the break-even, in US dollars per hour of each person who waits; None unless `pays` is ``from`` or
        ``up to``
    pays : when this model and speed are better:

        - ``from``: if an hour is worth more than the break-even, because they are quicker and dearer
        - ``up to``: if an hour is worth less than the break-even, because they are slower and cheaper
        - ``always`` or ``never``: whatever an hour is worth
        - ``unclear``: the differences in time and cost are too uncertain
    """

    model: str
    speed: float
    agents: int
    pays: str
    usd_per_hour: Interval | None


def pareto(grid: ByScenario, q: float) -> tuple[ParetoPoint, ...]:
    """Return the Pareto set of a grid by mean cost and by the quantile `q` of time, cheapest first.

    If several scenarios cost the same, and their times differ by at most 1%, only the one with the fewest agents is
    returned.
    """
    time = {scenario: samples.seconds.quantile(q) for scenario, samples in grid.items()}
    cost = {scenario: _mean_usd(samples) for scenario, samples in grid.items()}
    return tuple(
        ParetoPoint(scenario, quantile(grid[scenario].seconds, q), mean(_usd(grid[scenario])))
        for scenario in _front(list(grid), time, cost)
    )


def trades(grid: ByScenario) -> tuple[Trade, ...]:
    """Return the changes that lead step by step from the cheapest scenario to the quickest one.

    Each change leads to a quicker and dearer scenario: the next one on the lower convex hull of mean time and mean
    cost. So an hour saved costs more in each change than in the change before.
    """
    time = {scenario: samples.seconds.mean for scenario, samples in grid.items()}
    cost = {scenario: _mean_usd(samples) for scenario, samples in grid.items()}
    hull: list[Scenario] = []
    for point in _front(list(grid), time, cost):
        while len(hull) > 1 and _slope(hull[-2], hull[-1], time, cost) >= _slope(hull[-1], point, time, cost):
            hull.pop()
        hull.append(point)
    return tuple(_trade(cheaper, quicker, grid) for cheaper, quicker in pairwise(hull))


def break_evens(first: ByScenario, others: ByScenario, waiting: float) -> tuple[BreakEven, ...]:
    """Return, for each scenario in `others`, how much an hour must be worth so that it is as good as one in `first`.

    The scenario in `first` is the one with the same number of agents.

    waiting : number of people who wait
    """
    by_agents = {scenario.agents: samples for scenario, samples in first.items()}
    results = []
    for scenario, samples in others.items():
        base = by_agents[scenario.agents]
        less = mean_difference(base.seconds, samples.seconds)
        more = mean_difference(_usd(samples), _usd(base))
        pays, price = "unclear", None
        if (less.above and more.above) or (less.below and more.below):
            added = _usd(samples).first - _usd(base).first
            price = ratio_of_means(added, base.seconds.first - samples.seconds.first).times(HOUR / waiting)
            pays = "from" if less.above else "up to"
        elif less.above and not more.above:
            pays = "always"
        elif not less.above and more.above:
            pays = "never"
        results.append(BreakEven(scenario.model, scenario.speed, scenario.agents, pays, price))
    return tuple(results)


def _front(
    points: Sequence[Scenario], time: Mapping[Scenario, float], cost: Mapping[Scenario, float]
) -> list[Scenario]:
    """Return scenarios from the cheapest to the quickest. Each is over 1% quicker than all cheaper scenarios.

    If several scenarios cost the same, and their times differ by at most 1%, only the one with the fewest agents is
    returned.

    time : completion time of each scenario, in seconds
    cost : cost of each scenario, in US dollars
    """
    front: list[Scenario] = []
    for point in sorted(points, key=lambda each: (cost[each], time[each], each.all_agents)):
        if not front or time[point] < time[front[-1]] * (1 - ALIKE):
            if front and cost[point] <= cost[front[-1]]:
                front.pop()
            front.append(point)
    return [_fewest(point, points, time, cost) for point in front]


def _fewest(
    point: Scenario, points: Sequence[Scenario], time: Mapping[Scenario, float], cost: Mapping[Scenario, float]
) -> Scenario:
    """Return the scenario with the fewest agents among all scenarios that are about equal to `point`.

    An equal scenario costs the same as `point`, and takes at most 1% longer.
    """
    near, slowest = 1e-9 * cost[point], time[point] * (1 + ALIKE)
    equal = [each for each in points if abs(cost[each] - cost[point]) <= near and time[each] <= slowest]
    return min(equal, key=lambda each: (each.all_agents, time[each]))


def _slope(one: Scenario, other: Scenario, time: Mapping[Scenario, float], cost: Mapping[Scenario, float]) -> float:
    return (cost[other] - cost[one]) / (time[one] - time[other])


def _trade(cheaper: Scenario, quicker: Scenario, grid: ByScenario) -> Trade:
    one, other = grid[cheaper], grid[quicker]
    more = _usd(other).first - _usd(one).first
    less = one.seconds.first - other.seconds.first
    return Trade(cheaper, quicker, mean_of(less), mean_of(more), ratio_of_means(more, less).times(HOUR))


def _usd(samples: ScenarioValues) -> Values:
    assert samples.usd is not None
    return samples.usd


def _mean_usd(samples: ScenarioValues) -> float:
    return _usd(samples).mean
