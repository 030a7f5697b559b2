"""The best number of agents, and the numbers from which more agents hardly help or make the workflow slower."""

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
"""Twice as many agents gain little if the p50 stays above this share."""


@dataclass(frozen=True)
class Doubling:
    """The first number of agents whose doubling gains under 5%. ratio : p50 with twice as many over p50."""

    agents: int
    ratio: Interval


@dataclass(frozen=True)
class Slower:
    """A number of agents that is slower by the whole 95% interval. difference : median paired difference, seconds."""

    agents: int
    difference: Interval


@dataclass(frozen=True)
class AgentNumbers:
    """Numbers of agents at one speed of a model. "Slower" means by the whole 95% interval.

    tried : the simulated numbers; all other fields are among them
    every : whether they are all numbers from 1 to the widest fan-out
    best : the number with the least p50, the smallest among equals; `p50` is its p50
    enough : the smallest number whose p50 is within 1% of the best
    alike : numbers that are not slower than the best one
    diminishing : the first among 1, 2, 4, … whose doubling gains little
    slower_again : the first number above the best one that is slower than it
    slower_than_one : the first number that is slower than one agent
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
    """Compare scenarios of a row by their number of agents, which must include 1."""
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
