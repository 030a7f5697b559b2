"""The least speed for each number of agents, and the least agents for each speed, that meet a deadline.

Both are solved for between the points of a grid: for the percentile itself and for both ends of its 95% interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from planner.planning.grid import Grid
from planner.planning.results import Scenario
from planner.planning.target.goal import Candidate, Target
from planner.sampling.sample import Progress, Stopping

FASTEST = 1000.0
"""The highest speed to try, above all that is sold. Tools and first tokens still take their time."""

TOGETHER = 9
"""Numbers of agents between two others that are tried together."""

_ROUNDS = 24
"""Most rounds of simulations. The last ones halve the range, which narrows 2²⁰ numbers to one."""

_PART = 16
"""Scenarios to simulate between two checks of the time limit."""

_STRAIGHT = 4
"""Rounds that look for a speed by linear interpolation; later rounds use bisection."""


@dataclass(frozen=True)
class Search:
    """A grid, its axes, and the target to solve for."""

    grid: Grid
    models: Sequence[str]
    speeds: Sequence[float]
    agents: Sequence[int]
    target: Target
    stopping: Stopping
    progress: Progress


@dataclass(frozen=True)
class Requirement:
    """The least speed for a number of agents, or the least agents for a speed, that meets a deadline.

    All scenarios named here were simulated.

    model, fixed : the number of agents, or the speed, that is given
    value : the least value whose percentile is within the deadline; None if there is none
    low, high : the same for the ends of the 95% interval: below `low` the deadline is missed, from `high` on it is met
    at : the scenario at `value`, or the one that comes nearest
    sure : the scenario at `high`
    solved : False if time ran out; then `value` is enough, but less may be
    """

    model: str
    fixed: float
    value: float | None
    low: float | None
    high: float | None
    at: Candidate
    sure: Candidate | None
    solved: bool


class _Percentile(NamedTuple):
    """The target's percentile of the completion time, and its 95% interval, in seconds."""

    value: float
    low: float
    high: float


_Bound = Literal["value", "low", "high"]
_BOUNDS: tuple[_Bound, ...] = ("value", "low", "high")


class _Bracket(NamedTuple):
    """The greatest number tried that misses the deadline, and the least that meets it."""

    below: float | None
    met: float | None


@dataclass(eq=False)
class _Line:
    """A row or a column of a grid, along which a number of agents or a speed is sought.

    tried : percentile by number
    """

    model: str
    fixed: float
    tried: dict[float, _Percentile]
    solved: bool = False

    def bracket(self, bound: _Bound, deadline: float) -> _Bracket:
        """Bracket the least number whose `bound` meets the deadline."""
        met = min((x for x, seconds in self.tried.items() if getattr(seconds, bound) <= deadline), default=None)
        below = [x for x in self.tried if met is None or x < met]
        return _Bracket(max(below, default=None), met)


_Scenario = Callable[[_Line, float], Scenario]
"""The scenario of a number on a line."""

_Propose = Callable[[_Line, _Bound, int], Iterable[float]]
"""Numbers to try on a line in a round, to solve for a bound."""


def needed_speeds(search: Search) -> tuple[Requirement, ...]:
    """Find the least speed to 3 digits, at least the slowest of the grid, for each model and number of agents."""
    deadline = search.target.deadline
    lines = [_Line(model, count, {}) for model in search.models for count in search.agents]

    def propose(line: _Line, bound: _Bound, turn: int) -> Iterator[float]:
        below, met = line.bracket(bound, deadline)
        if met is None:
            if below is not None and below < FASTEST:
                yield FASTEST
        elif below is not None and rounded_up(below, above=True) < met:
            if turn < _STRAIGHT:
                slow, quick = (getattr(line.tried[x], bound) for x in (below, met))
                root = _interpolated(below, slow, met, quick, deadline)
            else:
                root = math.sqrt(below * met)
            guess = min(max(rounded_up(root), rounded_up(below, above=True)), rounded_down(met))
            yield guess
            if rounded_down(guess) > below:
                yield rounded_down(guess)

    def scenario(line: _Line, speed: float) -> Scenario:
        return Scenario(line.model, speed, int(line.fixed))

    return _solve(search, lines, sorted(set(search.speeds)), propose, scenario)


def needed_agents(search: Search) -> tuple[Requirement, ...]:
    """Find the least number of agents for each model and speed.

    All numbers between the last of the grid that misses the deadline and the first that meets it are candidates. If
    none meets it, the number is doubled, up to the widest fan-out.
    """
    widest = max(search.grid.widest(search.models), *search.agents)
    lines = [_Line(model, speed, {}) for model in search.models for speed in sorted(set(search.speeds))]

    def propose(line: _Line, bound: _Bound, turn: int) -> Iterator[float]:
        below, met = line.bracket(bound, search.target.deadline)
        if met is None:
            assert below is not None
            if below < widest:
                yield min(2 * below, widest)
        elif below is not None:
            gap = int(met - below) - 1
            step = max(1, math.ceil(gap / TOGETHER))
            yield from (below + offset for offset in range(step, gap + 1, step))

    def scenario(line: _Line, agents: float) -> Scenario:
        return Scenario(line.model, line.fixed, int(agents))

    return _solve(search, lines, [float(count) for count in sorted({1, *search.agents})], propose, scenario)


def _solve(
    search: Search, lines: Sequence[_Line], first: Sequence[float], propose: _Propose, scenario: _Scenario
) -> tuple[Requirement, ...]:
    """Try the numbers `first`, then what `propose` yields, until it yields nothing or time is over."""
    grid, stopping, percentile = search.grid, search.stopping, search.target.percentile
    pending = [(line, x) for line in lines for x in first]
    for turn in range(_ROUNDS):
        points = [point for line, x in pending if (point := scenario(line, x)) not in grid.found]
        points.sort(key=lambda point: point.agents)  # scenarios with the same agents share their demands
        size = _PART if stopping.seconds is not None else max(1, len(points))
        for index in range(0, len(points), size):
            if not stopping.late:
                grid.take(points[index : index + size], Stopping(grid.samples), search.progress)
        left = []
        for line, x in pending:
            if (point := scenario(line, x)) in grid.found:
                seconds = grid.found[point].seconds
                line.tried[x] = _Percentile(seconds.quantile(percentile), *seconds.interval(percentile))
            else:
                left.append((line, x))
        pending = left + [
            (line, x)
            for line in lines
            for x in dict.fromkeys(float(x) for bound in _BOUNDS for x in propose(line, bound, turn))
            if x not in line.tried
        ]
        for line in lines:
            line.solved = all(other is not line for other, _ in pending)
        if not pending or stopping.late:
            break
    return tuple(_requirement(search, line, scenario) for line in lines)


def _requirement(search: Search, line: _Line, scenario: _Scenario) -> Requirement:
    value, low, high = (line.bracket(bound, search.target.deadline).met for bound in _BOUNDS)
    nearest = min(line.tried, key=lambda x: (line.tried[x].value, x))

    def candidate(x: float) -> Candidate:
        point = scenario(line, x)
        return Candidate.of(point, search.grid.found[point], search.target)

    return Requirement(
        line.model,
        line.fixed,
        value,
        low,
        high,
        at=candidate(nearest if value is None else value),
        sure=None if high is None else candidate(high),
        solved=line.solved,
    )


def _interpolated(below: float, slow: float, met: float, quick: float, deadline: float) -> float:
    """The speed that meets the deadline on a line in 1 / speed through both points, since tasks take a + b / speed."""
    if slow <= quick:
        return math.sqrt(below * met)
    return 1 / (1 / met + (1 / below - 1 / met) * (deadline - quick) / (slow - quick))


def _third_digit(speed: float) -> float:
    """The unit of the third significant digit."""
    return float(10.0 ** (math.floor(math.log10(speed) + 1e-12) - 2))


def rounded_up(speed: float, above: bool = False) -> float:
    """The least number of 3 digits that is at least `speed`, or greater if `above`."""
    unit = _third_digit(speed)
    steps = math.floor(speed / unit + 1e-9) + 1 if above else math.ceil(speed / unit - 1e-9)
    return float(f"{steps * unit:.3g}")


def rounded_down(speed: float) -> float:
    """The greatest number of 3 digits below `speed`."""
    unit = _third_digit(speed * (1 - 1e-9))
    return float(f"{(math.ceil(speed / unit - 1e-9) - 1) * unit:.3g}")
