"""The best number of agents, and the numbers at which more agents hardly help or make the workflow slower."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from planner.planning.decisions.interval import (
    Interval,
    ScenarioValues,
    median_difference,
    quantile,
    ratio_of_medians,
)
from planner.planning.decisions.verdict import ALIKE

LITTLE = 0.95
"""Twice as many agents gain little if their p50 is above this share of the p50 before."""


@dataclass(frozen=True)
class Doubling:
    """The first number of agents whose doubling gains under 5%.

    ratio : p50 of twice as many agents, divided by the p50 of `agents`
    """

    agents: int
    ratio: Interval


@dataclass(frozen=True)
class Slower:
    """A number of agents that is slower than another, smaller number of agents.

    difference : median of the paired differences in seconds; its whole 95% interval is above 0
    """

    agents: int
    difference: Interval


@dataclass(frozen=True)
class AgentNumbers:
    """Numbers of agents compared with each other, at one speed of a model.

    A number is "slower" if the whole 95% interval of its paired difference to the other number is above 0.

    tried : the simulated numbers; all other numbers of agents in this class are among them
    every : whether `tried` has all numbers from 1 to the widest fan-out
    best : the number with the least p50; the smallest one if several have the same p50
    p50 : p50 of `best` agents, in seconds
    enough : the smallest number whose p50 is at most 1% above that of `best`
    alike : the numbers that are not slower than `best`
    diminishing : the first number of 1, 2, 4, … whose doubling gains little; None if every doubling gains more
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
    """Compare the scenarios of one row of a grid, which differ in their number of agents.

    by_agents : samples by number of agents, which must include 1
    every : as in `AgentNumbers`
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
