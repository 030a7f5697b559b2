"""Exchange rates: how many agents are as quick as a higher speed, and which speed is as quick as more agents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from planner.engine.intervals import Interval, median_difference
from planner.planning.decisions.chances import ScenarioValues
from planner.planning.results import Row


@dataclass(frozen=True)
class AgentsForSpeed:
    """The number of agents with which the first model is as quick as another scenario, which has few agents.

    The first model is that of the grid, at its lowest speed. Times are compared in each sample, and the median
    of the differences counts.

    model, speed, agents : the other scenario
    needed : the smallest simulated number of agents of the first model that is at least as quick as the other scenario;
        None if no number is
    surely : the smallest simulated number that is significantly quicker; None if no number is
    difference : median of `time of the first model − time of the other scenario` in seconds, for `needed` agents. If
        `needed` is None: for the number of agents whose 95% interval of the difference has the lowest lower end
    """

    model: str
    speed: float
    agents: int
    needed: int | None
    difference: Interval
    surely: int | None


@dataclass(frozen=True)
class SpeedForAgents:
    """The model and speed at which few agents are as quick as more agents of the first model.

    The first model is that of the grid, at its lowest speed. Times are compared in each sample, and the median
    of the differences counts.

    agents : number of agents of the first model, more than the few agents
    model, speed : the first model and speed, in the order of the grid, at which few agents are at least as quick; None
        if there is none
    difference : median of `time of few agents − time of the first model's agents` in seconds, at `model` and `speed`.
        If they are None: at the model and speed whose 95% interval of the difference has the lowest lower end
    """

    agents: int
    model: str | None
    speed: float | None
    difference: Interval


@dataclass(frozen=True)
class Exchange:
    """Exchange rates between more agents and a higher speed.

    model, speed : the first model of the grid, and its lowest speed. Only here, the number of agents varies
    few : the number of agents at all other models and speeds
    tried : the simulated numbers of agents of the first model
    every : whether `tried` has all numbers from 1 to the largest useful number
    agents_for_speed : for each other model and speed, the agents of the first model that are as quick
    speed_for_agents : for each number of agents above `few`, the model and speed at which few agents are as quick
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
    """Compare many agents of the first model with few agents of all others, and return the exchange rates.

    first : the first model of the grid, and its lowest speed
    few : number of agents at all other models and speeds
    by_agents : samples of the first model, for each number of agents
    faster : samples of `few` agents, for each other model and speed, in the order of the grid
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
