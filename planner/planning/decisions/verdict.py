"""The verdict on a grid: do more agents or faster requests gain more, on the same draws?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from planner.engine.arrays import Floats
from planner.engine.statistics import medians, quantile_interval
from planner.planning.results import Row, Scenario

ALIKE = 0.01
"""Completion times that differ by at most this share count as about the same, even if their order is certain."""


def rows(grid: Iterable[Scenario]) -> list[Row]:
    """Return the rows of a grid. A row is a model at one speed.

    The models are in the order of the grid. The speeds of each model are in rising order.
    """
    distinct = dict.fromkeys(scenario.row for scenario in grid)
    models = list(dict.fromkeys(model for model, _ in distinct))
    return sorted(distinct, key=lambda row: (models.index(row[0]), row[1]))


def verdict(grid: Sequence[Scenario], seconds: Mapping[Scenario, Floats]) -> Verdict:
    """Decide whether more agents save more time than a higher speed or another model.

    seconds : completion times of each scenario, paired by sample
    """
    order = rows(grid)
    p50 = {point: float(medians(seconds[point])) for point in grid}
    position = {point: (order.index(point.row), point.all_agents, point.crews) for point in grid}
    few = fewest(grid).crews
    more = _least([point for point in sorted(grid, key=position.__getitem__) if position[point][0] == 0], p50)
    faster = _least([point for point in sorted(grid, key=position.__getitem__) if point.crews == few], p50)
    best = min(grid, key=lambda point: (p50[point], point.all_agents, position[point][0]))

    def about_equal(one: Scenario, other: Scenario) -> bool:
        low, high = quantile_interval(seconds[one] - seconds[other], 0.5)
        return low <= 0 <= high or abs(p50[one] - p50[other]) <= ALIKE * max(p50[one], p50[other])

    if len(order) == 1 or len({point.crews for point in grid}) == 1:
        least = next(point for point in sorted(grid, key=position.__getitem__) if point.crews == few)
        return Verdict(more, faster, "", (0.0, 0.0), best, about_equal(best, least))
    low, high = quantile_interval(seconds[more] - seconds[faster], 0.5)
    gains = "same" if about_equal(more, faster) else "agents" if high < 0 else "speed"
    base = next(point for point in grid if position[point][0] == 0 and point.crews == few)

    def best_alternative_gain(points: Sequence[Scenario]) -> str:
        quickest = min((point for point in points if point != base), key=lambda point: p50[point])
        if p50[quickest] < p50[base]:
            return "little"
        return "nothing" if about_equal(quickest, base) else "slower"

    return Verdict(
        more, faster, gains, (low, high), best, any(about_equal(best, end) for end in (more, faster)),
        best_alternative_gain([point for point in grid if position[point][0] == 0]) if more == base else "",
        best_alternative_gain([point for point in grid if point.crews == few]) if faster == base else "",
    )  # fmt: skip


def fewest(grid: Iterable[Scenario]) -> Scenario:
    """Return the first scenario with the fewest agents, added up over all crews that vary."""
    return min(grid, key=lambda scenario: scenario.all_agents)


def _least(points: Sequence[Scenario], p50: Mapping[Scenario, float]) -> Scenario:
    """Return the first scenario whose p50 is at most 1% above the least p50 of all scenarios.

    p50 : p50 of the completion time of each scenario, in seconds
    """
    limit = min(p50[point] for point in points) * (1 + ALIKE)
    return next(point for point in points if p50[point] <= limit)


@dataclass(frozen=True)
class Verdict:
    """The answer to the question whether more agents or a higher speed saves more time.

    The first row is the first model at its lowest speed. If several crews vary, their numbers of agents are added up.
    Two scenarios are about equal if their p50s differ by at most 1%, or if their difference is not significant.

    more : of the scenarios in the first row that are within 1% of this row's least p50, the one with the fewest agents
    faster : of the scenarios with the grid's fewest agents that are within 1% of their least p50, the first in the grid
    gains : ``agents`` if `more` is quicker, ``speed`` if `faster` is quicker, or ``same`` if they are about equal.
        Empty if the grid has a single model and speed, or a single number of agents
    difference : 95% interval of the median of `time of more − time of faster` in seconds, paired by sample
    best : the scenario with the least p50; if several scenarios have the least p50, the one with the fewest agents
    close : whether `best` is about equal to `more` or `faster`; if `gains` is empty, to the first scenario with the
        fewest agents
    no_more : what further agents would do if `more` has the grid's fewest agents: save less than 1% (``little``), save
        no time (``nothing``) or cost time (``slower``). Otherwise empty
    no_faster : the same for other models and speeds, if `faster` is in the first row
    """

    more: Scenario
    faster: Scenario
    gains: str
    difference: tuple[float, float]
    best: Scenario
    close: bool
    no_more: str = ""
    no_faster: str = ""
