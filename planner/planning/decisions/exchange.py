"""Exchange rates: the number of agents that is as quick as a faster speed, and the speed as quick as more agents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from planner.planning.decisions.interval import Interval, ScenarioValues, median_difference
from planner.planning.decisions.verdict import Row


@dataclass(frozen=True)
class AgentsForSpeed:
    """The number of agents in the first row that is as quick as a scenario with few agents in another row.

    model, speed, agents : the scenario of the other row
    needed : the smallest simulated number whose median paired difference is at most 0; None if there is none
    difference : median of T(needed) − T(scenario) in seconds, paired by sample. If `needed` is None, it is the median
        for the number that comes nearest.
    surely : the smallest simulated number whose difference is below 0 by its whole 95% interval; None if there is none
    """

    model: str
    speed: float
    agents: int
    needed: int | None
    difference: Interval
    surely: int | None


@dataclass(frozen=True)
class SpeedForAgents:
    """The row that is as quick with few agents as the first row with more agents.

    agents : the number of agents in the first row
    model, speed : the earliest row of the grid whose median paired difference is at most 0; None if there is none
    difference : median of T(row) − T(agents) in seconds, paired by sample. If there is no such row, it is the median
        for the row that comes nearest.
    """

    agents: int
    model: str | None
    speed: float | None
    difference: Interval


@dataclass(frozen=True)
class Exchange:
    """Exchange rates between agents and speed.

    model, speed : the first row, in which the number of agents varies
    few : the number of agents of the other rows
    tried : the numbers of agents simulated in the first row
    every : whether `tried` has all numbers up to the widest fan-out
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
    """Compare more agents in the first row with `few` agents in all other rows.

    by_agents : samples of the first row, by number of agents
    faster : samples of each other row with `few` agents, in the order of the grid
    every : as in `Exchange`
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
    """Return the interval with the lowest lower end. If even this one is above 0, no scenario is as quick."""
    return min(differences, key=lambda each: (each.value if each.low is None else each.low, each.value))
