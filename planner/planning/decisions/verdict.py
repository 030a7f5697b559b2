"""More agents or faster requests: which gains more within a grid, on the same draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from planner.engine.arrays import Floats
from planner.engine.statistics import medians, quantile_interval
from planner.planning.results import Scenario

ALIKE = 0.01
"""Two completion times within this share of each other are about the same, however sure their order is."""

Row = tuple[str, float]
"""A model and a factor on its speed."""


def rows(grid: Iterable[Scenario]) -> list[Row]:
    """Rows of a grid from the slowest: models in the order they are named, each at rising speeds."""
    found = dict.fromkeys((scenario.model, scenario.speed) for scenario in grid)
    models = list(dict.fromkeys(model for model, _ in found))
    return sorted(found, key=lambda row: (models.index(row[0]), row[1]))


def verdict(grid: Sequence[Scenario], seconds: Mapping[Scenario, Floats]) -> Verdict:
    """Compare what more agents gain in the first row with what other rows gain for the fewest agents.

    grid : scenarios asked for
    seconds : samples of each of them, paired
    """
    order = rows(grid)
    p50 = {point: float(medians(seconds[point])) for point in grid}
    place = {point: (order.index((point.model, point.speed)), point.agents) for point in grid}
    few = min(point.agents for point in grid)
    more = _least([point for point in sorted(grid, key=place.__getitem__) if place[point][0] == 0], p50)
    faster = _least([point for point in sorted(grid, key=place.__getitem__) if point.agents == few], p50)
    best = min(grid, key=lambda point: (p50[point], point.agents, place[point][0]))

    def about(one: Scenario, other: Scenario) -> bool:
        low, high = quantile_interval(seconds[one] - seconds[other], 0.5)
        return low <= 0 <= high or abs(p50[one] - p50[other]) <= ALIKE * max(p50[one], p50[other])

    if len(order) == 1 or len({point.agents for point in grid}) == 1:
        fewest = next(point for point in sorted(grid, key=place.__getitem__) if point.agents == few)
        return Verdict(more, faster, "", (0.0, 0.0), best, about(best, fewest))
    low, high = quantile_interval(seconds[more] - seconds[faster], 0.5)
    gains = "same" if about(more, faster) else "agents" if high < 0 else "speed"
    base = next(point for point in grid if place[point] == (0, few))

    def without(along: Sequence[Scenario]) -> str:
        quickest = min((point for point in along if point != base), key=lambda point: p50[point])
        if p50[quickest] < p50[base]:
            return "little"
        return "nothing" if about(quickest, base) else "slower"

    return Verdict(
        more, faster, gains, (low, high), best, any(about(best, one) for one in (more, faster)),
        without([point for point in grid if place[point][0] == 0]) if more == base else "",
        without([point for point in grid if point.agents == few]) if faster == base else "",
    )  # fmt: skip


def _least(points: Sequence[Scenario], p50: Mapping[Scenario, float]) -> Scenario:
    """The first point that is about as quick as the quickest."""
    limit = min(p50[point] for point in points) * (1 + ALIKE)
    return next(point for point in points if p50[point] <= limit)


@dataclass(frozen=True)
class Verdict:
    """Which end of a grid gains more.

    more : in the first row, the fewest agents that are about as quick as any number
    faster : with the fewest agents, the first row that is about as quick as any
    gains : ``agents`` or ``speed``, ``same`` where the paired difference does not tell, empty where only one is varied
    difference : 95 % interval of the median of (more − faster), seconds, paired by sample
    best : of the least p50; among equals, of fewest agents, then of the first row
    close : `best` is about as quick as `more` or `faster`, or, where only one is varied, as the least of it
    no_more, no_faster : where the least of it is `more`, or `faster`: the quickest other one gains ``little``, under
        1 %, or ``nothing`` that can be told, or is surely ``slower`` by over 1 %; else empty, and where only one varies
    """

    more: Scenario
    faster: Scenario
    gains: str
    difference: tuple[float, float]
    best: Scenario
    close: bool
    no_more: str = ""
    no_faster: str = ""
