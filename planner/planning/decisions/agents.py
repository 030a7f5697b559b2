"""How many agents: the best number, where more of them hardly help, and where they make it slower."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from planner.planning.decisions.interval import (
    Interval,
    Samples,
    median_difference,
    quantile,
    ratio_of_medians,
)
from planner.planning.decisions.verdict import ALIKE, Row

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


@dataclass(frozen=True)
class Agents:
    """How many agents at the first speed are as quick as a faster row with few.

    model, speed, agents : what is matched
    needed : the smallest number tried whose median paired difference is not above 0; None: none of them is
    difference : of that number, or of the one that comes nearest, seconds: T(number) − T(matched)
    surely : the smallest number tried that is quicker by its whole interval
    """

    model: str
    speed: float
    agents: int
    needed: int | None
    difference: Interval
    surely: int | None


@dataclass(frozen=True)
class Speed:
    """Which speed with few agents is as quick as more agents at the first one.

    agents : what is matched
    model, speed : the first row that is as quick in the median, which may be the first of all; None: none is
    difference : of that row, or of the one that comes nearest, seconds: T(row) − T(matched)
    """

    agents: int
    model: str | None
    speed: float | None
    difference: Interval


@dataclass(frozen=True)
class Exchange:
    """Both ways. few : agents that are kept while speed is varied; every : whether every number up to N was tried."""

    model: str
    speed: float
    few: int
    tried: tuple[int, ...]
    every: bool
    agents_for_speed: tuple[Agents, ...]
    speed_for_agents: tuple[Speed, ...]


def exchange(
    first: Row, few: int, numbers: Mapping[int, Samples], faster: Mapping[Row, Samples], every: bool
) -> Exchange:
    """Of the first row by its number of agents, and of all other rows with `few` agents, slowest first."""
    tried = tuple(sorted(numbers))
    return Exchange(
        *first, few, tried, every,
        tuple(_agents(row, few, numbers, samples) for row, samples in faster.items()),
        tuple(_speed(count, numbers[count], {first: numbers[few], **faster}) for count in tried if count > few),
    )  # fmt: skip


def _agents(row: Row, few: int, numbers: Mapping[int, Samples], matched: Samples) -> Agents:
    apart = {count: median_difference(numbers[count].seconds, matched.seconds) for count in sorted(numbers)}
    needed = next((count for count, found in apart.items() if found.value <= 0), None)
    surely = next((count for count, found in apart.items() if found.below), None)
    return Agents(*row, few, needed, _nearest(apart.values()) if needed is None else apart[needed], surely)


def _speed(count: int, matched: Samples, faster: Mapping[Row, Samples]) -> Speed:
    apart = {row: median_difference(samples.seconds, matched.seconds) for row, samples in faster.items()}
    for row, found in apart.items():
        if found.value <= 0:
            return Speed(count, *row, found)
    return Speed(count, None, None, _nearest(apart.values()))


def _nearest(apart: Iterable[Interval]) -> Interval:
    """The interval that reaches lowest: where it is above 0, nothing is as quick."""
    return min(apart, key=lambda one: (one.value if one.low is None else one.low, one.value))
