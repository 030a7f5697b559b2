"""Exchange rates: how many agents are as quick as a higher speed, and which speed is as quick as more agents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from planner.engine.intervals import Interval, median_difference
from planner.planning.decisions.chances import ScenarioValues
from planner.planning.results import Row


@dataclass(frozen=True)
class AgentsForSpeed:
    """The number of agents with which the first row of a grid is as quick as another scenario.

    A row is a model at one speed. A difference is the median of `time in the first row − time of the other scenario`,
    in seconds and paired by sample.

    model, speed, agents : the other scenario
    needed : the smallest simulated number of agents whose difference is at most 0; None if there is none
    difference : the difference for as many agents as `needed`. If `needed` is None: of all differences, the one whose
        95% interval has the lowest lower end
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
    """The model and speed at which few agents are as quick as more agents at the first model and speed.

    The number of few agents is `Exchange.few`. A difference is the median of
    `time of few agents − time of more agents`, in seconds and paired by sample.

    agents : the number of more agents
    model, speed : the first model and speed of the grid with a difference of at most 0; None if there is none
    difference : the difference at `model` and `speed`. If they are None: of all differences, the one whose 95% interval
        has the lowest lower end
    """

    agents: int
    model: str | None
    speed: float | None
    difference: Interval


@dataclass(frozen=True)
class Exchange:
    """Exchange rates between more agents and a higher speed.

    model, speed : the first model and speed of the grid. The number of agents varies only there
    few : the number of agents at all other models and speeds
    tried : the simulated numbers of agents at the first model and speed
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
    """Compare more agents at the model and speed `first` with few agents at all others.

    few : number of agents at all other models and speeds
    by_agents : samples of `first`, for each number of agents
    faster : samples of few agents, for each other model and speed, in the order of the grid
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
