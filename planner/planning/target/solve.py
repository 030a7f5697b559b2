"""The speed that each number of agents needs to meet a deadline, and the agents that each speed needs.

Both are solved between the points of a grid, for the percentile itself and for both ends of its 95 % interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from planner.planning.grid import Grid
from planner.planning.results import Scenario
from planner.planning.target.goal import Candidate, Target
from planner.sampling.sample import Progress, Stopping

FASTEST = 1000.0
"""The highest speed that is tried, beyond all that is sold: a sum of tools and first tokens remains."""

TOGETHER = 9
"""Numbers of agents between two others that are tried at once."""

_ROUNDS = 24
"""Most rounds of simulations; the last ones halve what is left, so that 2²⁰ numbers come down to one."""

_PART = 16
"""Scenarios that are simulated before it is asked again whether time is over."""

_STRAIGHT = 4
"""Rounds in which a speed is sought on a straight line; after them by halving."""

POINT, LOW, HIGH = range(3)
"""Which function of the samples is solved for: the percentile, and the ends of its interval."""


@dataclass(frozen=True)
class Requirement:
    """The least speed for some agents, or the least agents for a speed, that meet a deadline; all were simulated.

    model, fixed : the number of agents, or the speed, that it is for
    value : the least at which the percentile is within the deadline; None: none is
    low, high : the same for the ends of its interval: below `low` it is missed, from `high` on it is known to be met
    at : the scenario at `value`, else the one that comes nearest
    sure : the one at `high`
    solved : False: time was over before; what was tried by then tells no more than that `value` is enough
    """

    model: str
    fixed: float
    value: float | None
    low: float | None
    high: float | None
    at: Candidate
    sure: Candidate | None
    solved: bool


@dataclass(eq=False)
class _Line:
    """A row or a column of a grid, along which one number is sought."""

    model: str
    fixed: float
    tried: dict[float, tuple[float, float, float]]
    solved: bool = False

    def ends(self, what: int, deadline: float) -> tuple[float | None, float | None]:
        """The greatest number that was tried below the least that meets the deadline, and that one."""
        met = min((at for at, values in self.tried.items() if values[what] <= deadline), default=None)
        below = [at for at in self.tried if met is None or at < met]
        return max(below, default=None), met


def needed_speeds(
    grid: Grid, models: Sequence[str], speeds: Sequence[float], agents: Sequence[int], target: Target,
    stopping: Stopping, progress: Progress,
) -> tuple[Requirement, ...]:  # fmt: skip
    """For each model and number of agents; not below the least of `speeds`, and to 3 digits."""
    lines = [_Line(model, count, {}) for model in models for count in agents]
    ahead = {(line.model, line.fixed): sorted(set(speeds)) for line in lines}

    def between(line: _Line, what: int, turn: int) -> Iterator[float]:
        below, met = line.ends(what, target.deadline)
        if met is None:
            if below is not None and below < FASTEST:
                yield FASTEST
        elif below is not None and rounded_up(below, above=True) < met:
            if turn < _STRAIGHT:
                root = _straight(below, line.tried[below][what], met, line.tried[met][what], target.deadline)
            else:
                root = math.sqrt(below * met)
            guess = min(max(rounded_up(root), rounded_up(below, above=True)), rounded_down(met))
            yield guess
            if rounded_down(guess) > below:
                yield rounded_down(guess)

    def scenario(line: _Line, value: float) -> Scenario:
        return Scenario(line.model, value, int(line.fixed))

    _solve(grid, lines, ahead, between, scenario, target, stopping, progress)
    return tuple(_needed(grid, line, scenario, target) for line in lines)


def needed_agents(
    grid: Grid, models: Sequence[str], speeds: Sequence[float], agents: Sequence[int], target: Target,
    stopping: Stopping, progress: Progress,
) -> tuple[Requirement, ...]:  # fmt: skip
    """For each model and speed; every number between the last of `agents` that misses and the first that meets it.

    Where none of them does, numbers twice as high follow, up to as many as can be of use.
    """
    widest = max(grid.widest(models), *agents)
    lines = [_Line(model, speed, {}) for model in models for speed in sorted(set(speeds))]
    ahead = {(line.model, line.fixed): [float(count) for count in sorted({1, *agents})] for line in lines}

    def between(line: _Line, what: int, turn: int) -> Iterator[float]:
        below, met = line.ends(what, target.deadline)
        assert below is not None or met is not None
        if met is None:
            assert below is not None
            if below < widest:
                yield min(2 * below, widest)
        elif below is not None:
            gap = int(met - below) - 1
            step = max(1, math.ceil(gap / TOGETHER))
            yield from (below + offset for offset in range(step, gap + 1, step))

    def scenario(line: _Line, value: float) -> Scenario:
        return Scenario(line.model, line.fixed, int(value))

    _solve(grid, lines, ahead, between, scenario, target, stopping, progress)
    return tuple(_needed(grid, line, scenario, target) for line in lines)


def _solve(
    grid: Grid, lines: Sequence[_Line], ahead: dict[tuple[str, float], list[float]],
    between: Callable[[_Line, int, int], Iterable[float]], scenario: Callable[[_Line, float], Scenario],
    target: Target, stopping: Stopping, progress: Progress,
) -> None:  # fmt: skip
    """Try what `between` proposes until it proposes nothing, or time is over."""
    wanted = [(line, value) for line in lines for value in ahead[line.model, line.fixed]]
    for turn in range(_ROUNDS):
        points = [point for line, value in wanted if (point := scenario(line, value)) not in grid.found]
        points.sort(key=lambda point: point.agents)  # those that share what they ask for
        size = _PART if stopping.seconds is not None else max(1, len(points))
        for first in range(0, len(points), size):
            if not stopping.late:
                grid.take(points[first : first + size], Stopping(grid.samples), progress)
        left = []
        for line, value in wanted:
            if (point := scenario(line, value)) in grid.found:
                seconds = grid.found[point].seconds
                line.tried[value] = (seconds.quantile(target.percentile), *seconds.interval(target.percentile))
            else:
                left.append((line, value))
        ends = (POINT, LOW, HIGH)
        wanted = left + [
            (line, value)
            for line in lines
            for value in dict.fromkeys(float(value) for what in ends for value in between(line, what, turn))
            if value not in line.tried
        ]
        for line in lines:
            line.solved = all(other is not line for other, _ in wanted)
        if not wanted or stopping.late:
            return


def _needed(grid: Grid, line: _Line, scenario: Callable[[_Line, float], Scenario], target: Target) -> Requirement:
    value, low, high = (line.ends(what, target.deadline)[1] for what in (POINT, LOW, HIGH))
    nearest = min(line.tried, key=lambda at: (line.tried[at][POINT], at))

    def candidate(value: float) -> Candidate:
        point = scenario(line, value)
        return Candidate.of(point, grid.found[point], target)

    at = candidate(nearest if value is None else value)
    return Requirement(line.model, line.fixed, value, low, high, at, None if high is None else candidate(high),
                  line.solved)  # fmt: skip


def _straight(below: float, slow: float, met: float, quick: float, deadline: float) -> float:
    """The speed at which a line through both points in 1 / speed meets the deadline: tasks take a + b / speed."""
    if slow <= quick:
        return math.sqrt(below * met)
    return 1 / (1 / met + (1 / below - 1 / met) * (deadline - quick) / (slow - quick))


def _unit(speed: float) -> float:
    """What the third digit counts."""
    return float(10.0 ** (math.floor(math.log10(speed) + 1e-12) - 2))


def rounded_up(speed: float, above: bool = False) -> float:
    """The least number of 3 digits that is at least `speed`, or `above` it."""
    unit = _unit(speed)
    steps = math.floor(speed / unit + 1e-9) + 1 if above else math.ceil(speed / unit - 1e-9)
    return float(f"{steps * unit:.3g}")


def rounded_down(speed: float) -> float:
    """The greatest number of 3 digits below `speed`."""
    unit = _unit(speed * (1 - 1e-9))
    return float(f"{(math.ceil(speed / unit - 1e-9) - 1) * unit:.3g}")
