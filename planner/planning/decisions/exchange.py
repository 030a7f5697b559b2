"""The exchange rate between speed and agents, both ways."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from planner.planning.decisions.interval import Interval, Samples, median_difference
from planner.planning.decisions.verdict import Row


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
