"""The best number of agents, and the numbers at which more agents hardly help or make the workflow slower."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from planner.engine.intervals import Interval, median_difference, quantile, ratio_of_medians
from planner.planning.decisions.chances import ScenarioValues
from planner.planning.decisions.verdict import ALIKE

LITTLE = 0.95
"""Doubling the agents gains little if the p50 afterwards is above this share of the p50 before."""


@dataclass(frozen=True)
class Doubling:
    """A number of agents at which doubling the number saves less than 5% of the time.

    agents : number of agents before the doubling
    ratio : `p50 after the doubling / p50 before the doubling`
    """

    agents: int
    ratio: Interval


@dataclass(frozen=True)
class Slower:
    """A number of agents that makes the workflow slower than a smaller number does.

    agents : the larger number of agents
    difference : seconds that the larger number adds: median, paired by sample. Its whole 95% interval is above 0
    """

    agents: int
    difference: Interval


@dataclass(frozen=True)
class AgentNumbers:
    """Comparison of several numbers of agents, at one speed of a model.

    A number of agents is called slower than another number if the 95% interval of the added time is above 0.

    tried : the simulated numbers of agents
    every : whether `tried` has all numbers from 1 to the largest useful number
    best : the smallest number with the least p50
    p50 : the least p50 of the completion time, in seconds
    enough : the smallest number whose p50 is at most 1% above the least p50
    alike : the numbers that are not slower than `best`
    diminishing : the first number in 1, 2, 4, … whose doubling saves less than 5% of the time; None if every doubling
        saves more
    slower_again : the first number above `best` that is slower than `best`; None if there is none
    slower_than_one : the first number that is slower than one agent; None if there is none
    """

    model: str
    speed: float
    tried: tuple[int, ...]
    every: bool
    best: int
    p50: Interval
    enough: int
    alike: tuple[int, ...]
    diminishing: Doubling | None
    slower_again: Slower | None
    slower_than_one: Slower | None


def agent_numbers(model: str, speed: float, by_agents: Mapping[int, ScenarioValues], every: bool) -> AgentNumbers:
    """Compare several numbers of agents, at one speed of a model.

    by_agents : samples for each number of agents, including 1
    every : whether `by_agents` has all numbers from 1 to the largest useful number
    """
    tried = tuple(sorted(by_agents))
    p50 = {count: by_agents[count].p50 for count in tried}
    best = min(tried, key=lambda count: (p50[count], count))

    def slower(count: int, other: int) -> Slower | None:
        difference = median_difference(by_agents[count].seconds, by_agents[other].seconds)
        return Slower(count, difference) if difference.above else None

    def first_slower(other: int) -> Slower | None:
        return next((result for count in tried if count > other and (result := slower(count, other))), None)

    return AgentNumbers(
        model, speed, tried, every, best,
        quantile(by_agents[best].seconds, 0.5),
        next(count for count in tried if p50[count] <= p50[best] * (1 + ALIKE)),
        tuple(count for count in tried if slower(count, best) is None),
        _diminishing(by_agents),
        first_slower(best), first_slower(1),
    )  # fmt: skip


def _diminishing(by_agents: Mapping[int, ScenarioValues]) -> Doubling | None:
    count = 1
    while count in by_agents and 2 * count in by_agents:
        ratio = ratio_of_medians(by_agents[2 * count].seconds, by_agents[count].seconds)
        if ratio.value > LITTLE:
            return Doubling(count, ratio)
        count *= 2
    return None
