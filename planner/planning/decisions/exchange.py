"""Exchange rates: how many agents are as quick as a higher speed, and which speed is as quick as more agents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from planner.engine.intervals import Interval, median_difference
from planner.planning.decisions.chances import ScenarioValues
from planner.planning.results import Row


@dataclass(frozen=True)
class AgentsForSpeed:
    """The number of agents with which the first row of a grid is as quick as a scenario in another row.

    A row is a model at one speed. A difference is the median of `time in the first row − time of the scenario`, in
    seconds and paired by sample.

    model, speed, agents : the scenario in the other row
    needed : the smallest simulated number of agents whose difference is at most 0; None if there is none
    difference : the difference for `needed` agents; if `needed` is None, the difference whose 95% interval has the
        lowest lower end
    surely : the smallest simulated number of agents whose difference is significantly below 0; None if there is none
    """

    model: str
    speed: float
    agents: int
    needed: int | None
    difference: Interval
    surely: int | None


@dataclass(frozen=True)
class SpeedForAgents:
    """The row of a grid in which `Exchange.few` agents are as quick as a larger number of agents in the first row.

    A row is a model at one speed. A difference is the median of `time in a row − time in the first row`, in seconds and
    paired by sample.

    agents : number of agents in the first row; it is larger than `Exchange.few`
    model, speed : of all rows with a difference of at most 0, the earliest in the grid; None if there is none
    difference : the difference of this row; if there is no such row, the difference whose 95% interval has the lowest
        lower end
    """

    agents: int
    model: str | None
    speed: float | None
    difference: Interval


@dataclass(frozen=True)
class Exchange:
    """Exchange rates between more agents and a higher speed.

    A row is a model at one speed.

    model, speed : the first row. The number of agents varies in this row only
    few : the number of agents in all other rows
    tried : the simulated numbers of agents in the first row
    every : whether `tried` has all numbers from 1 to the largest useful number
    """

    model: str
    speed: float
    few: int
    tried: tuple[int, ...]
    every: bool
    agents_for_speed: tuple[AgentsForSpeed, ...]
    speed_for_agents: tuple[SpeedForAgents, ...]


def exchange(
    first: Row,
    few: int,
    by_agents: Mapping[int, ScenarioValues],
    faster: Mapping[Row, ScenarioValues],
    every: bool,
) -> Exchange:
    """Compare more agents in the row `first` with `few` agents in all other rows.

    A row is a model at one speed.

    by_agents : samples of the row `first`, for each number of agents
    faster : samples of each other row with `few` agents, in the order of the grid
    every : whether `by_agents` has all numbers from 1 to the largest useful number
    """
    tried = tuple(sorted(by_agents))
    with_few = {first: by_agents[few], **faster}
    return Exchange(
        *first, few, tried, every,
        tuple(_agents_for_speed(row, few, by_agents, samples) for row, samples in faster.items()),
        tuple(_speed_for_agents(count, by_agents[count], with_few) for count in tried if count > few),
    )  # fmt: skip


def _agents_for_speed(
    row: Row, few: int, by_agents: Mapping[int, ScenarioValues], matched: ScenarioValues
) -> AgentsForSpeed:
    differences = {count: median_difference(by_agents[count].seconds, matched.seconds) for count in sorted(by_agents)}
    needed = next((count for count, difference in differences.items() if difference.value <= 0), None)
    surely = next((count for count, difference in differences.items() if difference.below), None)
    difference = _lowest(differences.values()) if needed is None else differences[needed]
    return AgentsForSpeed(*row, few, needed, difference, surely)


def _speed_for_agents(count: int, matched: ScenarioValues, faster: Mapping[Row, ScenarioValues]) -> SpeedForAgents:
    differences = {row: median_difference(samples.seconds, matched.seconds) for row, samples in faster.items()}
    for row, difference in differences.items():
        if difference.value <= 0:
            return SpeedForAgents(count, *row, difference)
    return SpeedForAgents(count, None, None, _lowest(differences.values()))


def _lowest(differences: Iterable[Interval]) -> Interval:
    """Return the interval with the lowest lower end. If the lower end is unknown, the estimate is used instead."""
    return min(differences, key=lambda each: (each.value if each.low is None else each.low, each.value))
