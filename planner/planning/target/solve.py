"""Find the least speed that meets a deadline for each number of agents, and the least agents for each speed.

The search also tries values between the points of a grid. It finds the value at which the percentile meets the
deadline, and the values at which the ends of the percentile's 95% interval meet it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
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


Numbers = tuple[int, ...]
"""Number of agents of each crew that varies, in the order of `Search.crews`."""


@dataclass(frozen=True)
class Search:
    """The arguments of a search for the speeds and numbers of agents that meet a target.

    grid : the simulated scenarios
    models, speeds : the requested models and speeds
    crews : names of the crews that vary. The first is the crew of `Scenario.agents`
    combinations : the requested numbers of agents
    """

    grid: Grid
    models: Sequence[str]
    speeds: Sequence[float]
    crews: tuple[str, ...]
    combinations: Sequence[Numbers]
    target: Target
    stopping: Stopping
    progress: Progress

    def scenario(self, model: str, speed: float, numbers: Numbers) -> Scenario:
        """Return the scenario with the given numbers of agents."""
        return Scenario(model, speed, numbers[0], tuple(zip(self.crews[1:], numbers[1:], strict=True)))

    @cached_property
    def widest(self) -> int:
        """The largest useful number of agents of a crew, or the largest requested number if that is larger."""
        return max(self.grid.widest(self.models), *(count for numbers in self.combinations for count in numbers))


@dataclass(frozen=True)
class Requirement:
    """The least speed, or the least number of agents of a crew, that meets a deadline.

    The least speed is for fixed numbers of agents. The least number of agents is for a fixed speed, and for fixed
    numbers of agents of all other crews.

    crew : name of the crew, for a number of agents; None for a speed
    fixed : for a number of agents, the fixed speed; for a speed, the fixed number of agents of the first crew
    value : the least speed or number of agents that meets the deadline; None if none was found
    low : the least one that perhaps meets the deadline, by the lower end of the time's 95% interval; None if none was
        found
    high : the least one that surely meets the deadline, by the upper end of the time's 95% interval; None if none was
        found
    at : the scenario with the speed or number `value`; if `value` is None, the quickest scenario that was tried
    sure : the scenario with the speed or number `high`; None if `high` is None
    solved : whether the search was completed before time ran out
    """

    model: str
    crew: str | None
    fixed: float
    value: float | None
    low: float | None
    high: float | None
    at: Candidate
    sure: Candidate | None
    solved: bool


class _Percentile(NamedTuple):
    """A percentile of the completion time in seconds, and the ends of the percentile's 95% interval."""

    value: float
    low: float
    high: float


_Bound = Literal["value", "low", "high"]
_BOUNDS: tuple[_Bound, ...] = ("value", "low", "high")


class _Bracket(NamedTuple):
    """The range in which the search for the least number of agents or the least speed continues.

    met : of the tried values, the smallest one that meets the deadline; None if none meets it
    below : the largest tried value that does not meet the deadline; None if each tried value meets it
    """

    below: float | None
    met: float | None


@dataclass(eq=False)
class _Line:
    """A search for the agents needed at a fixed speed, or for the speed needed with fixed agents.

    crew : index of the crew whose number of agents is searched for; None: the speed is searched for
    speed : the fixed speed; 0 if the speed is searched for
    numbers : the fixed number of agents of each crew that varies; 0 for the crew whose number is searched for
    tried : tried number of agents or speed → percentile of the completion time
    solved : whether the search is complete
    """

    model: str
    crew: int | None
    speed: float
    numbers: Numbers
    tried: dict[float, _Percentile] = field(default_factory=dict)
    solved: bool = False

    def scenario(self, search: Search, x: float) -> Scenario:
        """Return the scenario that this search tries for the value `x`.

        x : number of agents of the crew, or speed, depending on which of the two is searched for
        """
        if self.crew is None:
            return search.scenario(self.model, x, self.numbers)
        numbers = (*self.numbers[: self.crew], int(x), *self.numbers[self.crew + 1 :])
        return search.scenario(self.model, self.speed, numbers)

    def bracket(self, bound: _Bound, deadline: float) -> _Bracket:
        """Return the two tried values between which the search continues.

        For example, if 1, 2, 4 and 8 agents were tried, and 4 and 8 agents meet the deadline, return 2 and 4.

        bound : the value to compare with the deadline: the percentile, or an end of its 95% interval
        """
        met = min((x for x, seconds in self.tried.items() if getattr(seconds, bound) <= deadline), default=None)
        below = [x for x in self.tried if met is None or x < met]
        return _Bracket(max(below, default=None), met)


_Propose = Callable[[_Line, _Bound, int], Iterable[float]]
"""A function that yields the numbers to try on a line, for a bound and the number of the round."""


def needed_speeds(search: Search) -> tuple[Requirement, ...]:
    """Find the least speed that meets the deadline, for each model and combination of numbers of agents.

    Speeds have 3 significant digits. Speeds below the grid's lowest speed are not tried.
    """
    deadline = search.target.deadline
    lines = [_Line(model, None, 0.0, numbers) for model in search.models for numbers in search.combinations]

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

    first = sorted(set(search.speeds))
    return _solve(search, [(line, first) for line in lines], propose)


def needed_agents(search: Search) -> tuple[Requirement, ...]:
    """Find the least number of agents that meets the deadline, for each model, speed and crew.

    If several crews vary, the search is repeated for each combination of the requested numbers of the other crews.
    The search tries the requested numbers of the crew, then numbers between them.
    If no requested number meets the deadline, it doubles the largest number, up to the largest useful number.
    """
    widest = search.widest
    lines = []
    for model, speed, crew in product(search.models, sorted(set(search.speeds)), range(len(search.crews))):
        first = [float(count) for count in sorted({1, *(numbers[crew] for numbers in search.combinations)})]
        fixed = dict.fromkeys((*numbers[:crew], 0, *numbers[crew + 1 :]) for numbers in search.combinations)
        lines += [(_Line(model, crew, speed, numbers), first) for numbers in fixed]

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

    return _solve(search, lines, propose)


def _solve(
    search: Search, starts: Sequence[tuple[_Line, Sequence[float]]], propose: _Propose
) -> tuple[Requirement, ...]:
    """Run several searches, and return their results.

    The searches stop if nothing is left to try, if time is over, or after `_ROUNDS` rounds.

    starts : each search, and the speeds or numbers of agents that it tries first
    propose : function that yields the speeds or numbers of agents to try next
    """
    grid, stopping, percentile = search.grid, search.stopping, search.target.percentile
    lines = [line for line, _ in starts]
    pending = [(line, x) for line, first in starts for x in first]
    for turn in range(_ROUNDS):
        points = [point for line, x in pending if (point := line.scenario(search, x)) not in grid.found]
        points.sort(
            key=lambda point: (point.agents, point.others)
        )  # scenarios with the same agents share their demands
        for _, part in stopping.parts(points, max(1, len(points)), _PART):
            grid.take(part, Stopping(grid.samples), search.progress)
        left = []
        for line, x in pending:
            if (point := line.scenario(search, x)) in grid.found:
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
    return tuple(_requirement(search, line) for line in lines)


def _requirement(search: Search, line: _Line) -> Requirement:
    value, low, high = (line.bracket(bound, search.target.deadline).met for bound in _BOUNDS)
    nearest = min(line.tried, key=lambda x: (line.tried[x].value, x))

    def candidate(x: float) -> Candidate:
        point = line.scenario(search, x)
        return Candidate.of(point, search.grid.found[point], search.target)

    return Requirement(
        line.model,
        None if line.crew is None else search.crews[line.crew],
        line.numbers[0] if line.crew is None else line.speed,
        value,
        low,
        high,
        at=candidate(nearest if value is None else value),
        sure=None if high is None else candidate(high),
        solved=line.solved,
    )


def _interpolated(below: float, slow: float, met: float, quick: float, deadline: float) -> float:
    """Estimate the speed that meets the deadline, by linear interpolation in `1 / speed`.

    below : a speed that misses the deadline
    slow : seconds at the speed `below`
    met : a speed that meets the deadline
    quick : seconds at the speed `met`
    """
    if slow <= quick:
        return math.sqrt(below * met)
    return 1 / (1 / met + (1 / below - 1 / met) * (deadline - quick) / (slow - quick))


def _third_digit(speed: float) -> float:
    """Return the unit of the third significant digit of a speed, for example 0.1 for the speed 12.3."""
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
