"""How many agents: the best number, where more of them hardly help, and where they make it slower."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from planner.planning.decisions.interval import (
    Interval,
    Samples,
    median_difference,
    quantile,
    ratio_of_medians,
)
from planner.planning.decisions.verdict import ALIKE

LITTLE = 0.95
"""Twice as many agents gain little where they take more than this share of the time."""


@dataclass(frozen=True)
class Doubling:
    """The first number of agents of which twice as many gain under 5 %. ratio : p50 of twice as many over p50."""

    agents: int
    ratio: Interval


@dataclass(frozen=True)
class Slower:
    """A number of agents that is surely slower. difference : median of paired differences, seconds."""

    agents: int
    difference: Interval


@dataclass(frozen=True)
class Numbers:
    """Numbers of agents at one speed of a model.

    tried : the numbers that were simulated; only of these is anything said
    every : whether they are all from 1 to the widest fan-out
    best : of the least p50, the smallest of equals; `p50` is its
    enough : the smallest number whose p50 is within 1 % of it
    alike : numbers that are not surely slower than the best one
    diminishing : among 1, 2, 4, …, as far as these were tried
    slower_again : the first number above the best one that is surely slower than it
    slower_than_one : the first number that is surely slower than one agent
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


def numbers(model: str, speed: float, cells: Mapping[int, Samples], every: bool) -> Numbers:
    """Of cells by their number of agents, one agent among them."""
    tried = tuple(sorted(cells))
    p50 = {count: cells[count].p50 for count in tried}
    best = min(tried, key=lambda count: (p50[count], count))

    def slower(count: int, other: int) -> Slower | None:
        apart = median_difference(cells[count].seconds, cells[other].seconds)
        return Slower(count, apart) if apart.above else None

    def first(other: int) -> Slower | None:
        return next((found for count in tried if count > other and (found := slower(count, other))), None)

    return Numbers(
        model, speed, tried, every, best,
        quantile(cells[best].seconds, 0.5),
        next(count for count in tried if p50[count] <= p50[best] * (1 + ALIKE)),
        tuple(count for count in tried if slower(count, best) is None),
        _diminishing(cells),
        first(best), first(1),
    )  # fmt: skip


def _diminishing(cells: Mapping[int, Samples]) -> Doubling | None:
    count = 1
    while count in cells and 2 * count in cells:
        ratio = ratio_of_medians(cells[2 * count].seconds, cells[count].seconds)
        if ratio.value > LITTLE:
            return Doubling(count, ratio)
        count *= 2
    return None
