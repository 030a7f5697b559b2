"""Check the values of a request: values in, parts of a request out, or an `InputError` with every problem.

Values come from the command line as texts, and from Python calls as texts or numbers. The functions take both kinds
of values.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.api import MOST_SAMPLES, MOST_THREADS
from planner.api.request import Progress, Simulation
from planner.errors import InputError, Note, Problem
from planner.reading import units
from planner.report.wording.notes import Names, words

if TYPE_CHECKING:
    from planner.planning.decisions.decide import DecisionOptions
    from planner.planning.target.goal import Target
    from planner.sampling.backends import Backend

MOST_PEOPLE = 1e6
MOST_RUNS = 10**9


class RefusedError(ValueError):
    """A value is wrong. The message for its code differs between the command line and Python."""

    def __init__(self, code: str, values: Mapping[str, Any] | None = None) -> None:
        super().__init__(code)
        self.note = Note(code, values)


class Checks:
    """Collects the problems of arguments. `done` raises all problems together."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._problems: list[Problem] = []

    def take(self, argument: str, value: Any, parse: Callable[[Any], Any]) -> Any:
        """Parse the value of an argument. If it is wrong, record the problem and return None."""
        try:
            return parse(value)
        except (ValueError, TypeError) as mistake:
            reason = words(mistake.note, self._names) if isinstance(mistake, RefusedError) else str(mistake)
            hint = getattr(mistake, "hint", None)
            self._problems.append(Problem("bad-value", f"{value!r}: {reason}", None, hint, argument))
            return None

    def optional(self, argument: str, value: Any, parse: Callable[[Any], Any]) -> Any:
        """Return None if the value is None. Otherwise parse the value as `take` does."""
        return None if value is None else self.take(argument, value, parse)

    def each(self, argument: str, values: Iterable[Any], parse: Callable[[Any], Any]) -> list[Any]:
        """Parse each of several values as `take` does."""
        return [self.take(argument, value, parse) for value in values]

    def add(self, message: str) -> None:
        """Record a problem that concerns several arguments."""
        self._problems.append(Problem("bad-value", message))

    def words(self, code: str) -> str:
        """Return the message for the code of a refusal. The message names arguments as this front end does."""
        return words(Note(code), self._names)

    def done(self) -> None:
        """Raise InputError with all recorded problems, if there are any."""
        if self._problems:
            raise InputError(self._problems)


def simulation(
    check: Checks, seed: Any, samples: Any, precision: Any, max_time: Any, backend: Backend, progress: Progress | None
) -> Simulation:
    """Check the seed and the stopping rule. Return a `Simulation` with these, the backend and the progress function."""
    return Simulation(
        check.take("seed", seed, _seed),
        check.optional("samples", samples, lambda value: units.whole(value, MOST_SAMPLES)),
        check.optional("precision", precision, units.precision),
        check.optional("max_time", max_time, _time("30s")),
        backend,
        progress,
    )


def threads(check: Checks, value: Any) -> int | None:
    """Check a number of threads. None: all cores."""
    count: int | None = check.optional("threads", value, lambda value: units.whole(value, MOST_THREADS))
    return count


def usd(value: Any) -> float:
    """Parse US dollars, given as a number or as a text such as ``"$120"``."""
    return float(units.money(value))


def existing_folder(value: Any) -> Path:
    """The path of a folder."""
    path = Path(value)
    if not os.fspath(value) or not path.is_dir():
        raise ValueError("expected a folder that exists")
    return path


def decision_options(
    check: Checks, value_of_time: Any, waiting: Any, setup: Any, runs: Any, every_n: Any
) -> DecisionOptions:
    """Check the inputs of decisions: value of time, number of people who wait, setup with its runs, and `every_n`."""
    from planner.planning.decisions.decide import DecisionOptions
    from planner.planning.decisions.payback import Setup

    def count(value: Any) -> int:
        if setup is None:
            raise RefusedError("needs-setup")
        return units.whole(value, MOST_RUNS)

    hour = check.optional("value_of_time", value_of_time, lambda value: float(units.money_per_hour(value)))
    people = check.take("waiting", waiting, _people)
    once = check.optional("setup", setup, units.setup_of)
    times = check.optional("runs", runs, count)
    every = check.take("every_n", every_n, _flag)
    return DecisionOptions(bool(every), hour, people or 1.0, once and Setup(once[0], once[1], times))


def target(check: Checks, p90: Any, p50: Any, budget: Any) -> Target:
    """Check the parts of a target: a deadline for p90 or p50, and a budget for the same percentile of the cost."""
    from planner.planning.target.goal import Target

    most = check.optional("budget", budget, usd)
    late, soon = (check.optional(name, value, _time("4h")) for name, value in (("p90", p90), ("p50", p50)))
    if (p90 is None) == (p50 is None):
        check.add(check.words("one-deadline"))
    return Target(0.5 if p90 is None else 0.9, soon if p90 is None else late, most)


def _time(example: str) -> Callable[[Any], float]:
    def parse(value: Any) -> float:
        seconds = float(value) if units.is_number(value) else units.duration(value)
        if not 0 < seconds < math.inf:
            raise RefusedError("time-above-0", {"example": example})
        return seconds

    return parse


def _people(value: Any) -> float:
    return units.at_most(units.positive(units.count(value)), MOST_PEOPLE)


def _seed(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("expected a whole number from 0")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("expected True or False")
    return value
