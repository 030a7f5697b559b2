"""Find the least speed that meets a deadline for each number of agents, and the least agents for each speed.

The search also tries values between the points of a grid. It finds the value at which the percentile meets the
deadline, and the values at which the ends of the percentile's 95% interval meet it.
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
"""The highest speed to try, above any speed on sale. Tools and first tokens are no quicker at this speed."""

TOGETHER = 9
"""Most numbers of agents to try together in one round. They all lie between two numbers that were already tried."""

_ROUNDS = 24
"""Most rounds of simulations. After the first `_STRAIGHT` rounds, each round halves the range to search."""

_PART = 16
"""Scenarios to simulate between two checks of the time limit."""

_STRAIGHT = 4
"""Number of rounds that look for a speed by linear interpolation. Later rounds use bisection."""


@dataclass(frozen=True)
class Search:
    """A grid, the models, speeds and agents of its axes, and the target to solve for."""

    grid: Grid
    models: Sequence[str]
    speeds: Sequence[float]
    agents: Sequence[int]
    target: Target
    stopping: Stopping
    progress: Progress


@dataclass(frozen=True)
class Requirement:
    """The least speed that meets a deadline with a given number of agents, or the least agents at a given speed.

    fixed : the given number of agents, or the given speed
    value : the least speed or number of agents at which the percentile is within the deadline; None if there is none
    low : lower bound on `value`. With less, the deadline is surely missed: the whole 95% interval of the percentile is
        above it. None if there is none
    high : upper bound on `value`. With it, the deadline is surely met: the whole interval is within it. None if there
        is none
    at : the scenario with `value`; if `value` is None, the quickest scenario that was tried
    sure : the scenario with `high`; None if `high` is None
    solved : whether the search is complete. If time ran out, a number below `value` may meet the deadline too.
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
    """Two neighbours among the tried speeds or numbers of agents: the lower misses the deadline, the higher meets it.

    below : the highest tried number below `met`, or of all tried numbers if `met` is None; None if there is none
    met : the least tried number that meets the deadline; None if no tried number meets it
    """

    below: float | None
    met: float | None


@dataclass(eq=False)
class _Line:
    """A row or a column of a grid. The search looks for a number of agents in a row, and for a speed in a column.

    fixed : the speed of the row, or the number of agents of the column
    tried : percentile for each number that was simulated
    solved : whether the search is complete
    """

    model: str
    fixed: float
    tried: dict[float, _Percentile]
    solved: bool = False

    def bracket(self, bound: _Bound, deadline: float) -> _Bracket:
        """Return the least tried number at which `bound` is within the deadline, and the tried number below it."""
        met = min((x for x, seconds in self.tried.items() if getattr(seconds, bound) <= deadline), default=None)
        below = [x for x in self.tried if met is None or x < met]
        return _Bracket(max(below, default=None), met)


_Scenario = Callable[[_Line, float], Scenario]
"""A function that returns the scenario of a line with the given number of agents or the given speed."""

_Propose = Callable[[_Line, _Bound, int], Iterable[float]]
"""A function that yields the numbers to try on a line, for a bound and the number of the round."""


def needed_speeds(search: Search) -> tuple[Requirement, ...]:
    """Find the least speed that meets the deadline, for each model and number of agents.

    Speeds have 3 significant digits. Speeds below the slowest one of the grid are not tried.
    """
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
    """Find the least number of agents that meets the deadline, for each model and speed.

    The search looks between the least number of the grid that meets the deadline and the next lower number of the grid.
    If no number of the grid meets the deadline, the search doubles the largest number, up to the widest fan-out.
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
    """Try the numbers in `first` on each line, then the numbers from `propose`.

    Stop if `propose` yields no further number, if time is over, or after `_ROUNDS` rounds.
    """
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
    """Estimate by linear interpolation the speed that meets the deadline.

    The interpolation is linear in 1 / speed, because a task takes a + b / speed seconds.

    below : a speed that misses the deadline
    slow : seconds at the speed `below`
    met : a speed that meets the deadline
    quick : seconds at the speed `met`
    """
    if slow <= quick:
        return math.sqrt(below * met)
    return 1 / (1 / met + (1 / below - 1 / met) * (deadline - quick) / (slow - quick))


def _third_digit(speed: float) -> float:
    """Return the unit of the third significant digit of a speed."""
    return float(10.0 ** (math.floor(math.log10(speed) + 1e-12) - 2))


def rounded_up(speed: float, above: bool = False) -> float:
    """Round a speed up to 3 significant digits. If `above` is true, the result is always higher than `speed`."""
    unit = _third_digit(speed)
    steps = math.floor(speed / unit + 1e-9) + 1 if above else math.ceil(speed / unit - 1e-9)
    return float(f"{steps * unit:.3g}")


def rounded_down(speed: float) -> float:
    """Round a speed down to 3 significant digits. The result is always lower than `speed`."""
    unit = _third_digit(speed * (1 - 1e-9))
    return float(f"{(math.ceil(speed / unit - 1e-9) - 1) * unit:.3g}")
