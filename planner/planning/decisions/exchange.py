"""Exchange rates: how many agents are as quick as a faster row, and which speed is as quick as more agents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from planner.planning.decisions.interval import Interval, ScenarioValues, median_difference
from planner.planning.decisions.verdict import Row


@dataclass(frozen=True)
class AgentsForSpeed:
    """The number of agents at the first speed that is as quick as a faster row with few agents.

    model, speed, agents : the scenario to match
    needed : the smallest number tried whose median paired difference is at most 0; None if there is none
    difference : T(number) − T(matched), seconds, of that number, or of the one that comes nearest
    surely : the smallest number tried that is quicker by its whole interval
    """

    model: str
    speed: float
    agents: int
    needed: int | None
    difference: Interval
    surely: int | None


@dataclass(frozen=True)
class SpeedForAgents:
    """The speed with few agents that is as quick as more agents at the first speed.

    agents : the number to match
    model, speed : the first row whose median paired difference is at most 0, the slowest row included; None if none
    difference : T(row) − T(matched), seconds, of that row, or of the one that comes nearest
    """

    agents: int
    model: str | None
    speed: float | None
    difference: Interval


@dataclass(frozen=True)
class Exchange:
    """Agents for speed, and speed for agents.

    few : number of agents while the speed varies
    every : whether all numbers up to the widest fan-out were tried
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
    """Compare the first row, by its number of agents, with all other rows with `few` agents, slowest first."""
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
    """The interval that reaches lowest: if it is above 0, nothing is as quick."""
    return min(differences, key=lambda each: (each.value if each.low is None else each.low, each.value))
