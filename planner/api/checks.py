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
    from planner.planning.tier.limits import Limits
    from planner.sampling.backends import Backend

MOST_PEOPLE = 1e6
MOST_RUNS = 10**9
MOST_OFF = 10.0


class RefusedError(ValueError):
    """Error for a wrong value. The error has a code instead of a message.

    The command line and Python have different messages for the same code.
    """

    def __init__(self, code: str, values: Mapping[str, Any] | None = None) -> None:
        super().__init__(code)
        self.note = Note(code, values)


class Checks:
    """Parser of arguments that collects problems. The method `done` raises one error with all problems."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._problems: list[Problem] = []

    def take(self, argument: str, value: Any, parse: Callable[[Any], Any]) -> Any:
        """Parse the value of an argument with `parse`. If the value is wrong, record the problem and return None."""
        try:
            return parse(value)
        except (ValueError, TypeError) as mistake:
            reason = words(mistake.note, self._names) if isinstance(mistake, RefusedError) else str(mistake)
            hint = getattr(mistake, "hint", None)
            self._problems.append(Problem("bad-value", f"{value!r}: {reason}", None, hint, argument))
            return None

    def optional(self, argument: str, value: Any, parse: Callable[[Any], Any]) -> Any:
        """Return None if `value` is None. Otherwise parse the value with `parse`.

        If the value is wrong, record the problem and return None.
        """
        return None if value is None else self.take(argument, value, parse)

    def each(self, argument: str, values: Iterable[Any], parse: Callable[[Any], Any]) -> list[Any]:
        """Parse each value with `parse`. Record a problem for each wrong value, and replace the wrong value by None."""
        return [self.take(argument, value, parse) for value in values]

    def add(self, message: str) -> None:
        """Record a problem that concerns several arguments. `message` describes the problem."""
        self._problems.append(Problem("bad-value", message))

    def words(self, code: str, values: Mapping[str, Any] | None = None) -> str:
        """Return the message for the code of an error, with its values.

        The message names arguments as the front end does: `--p90` on the command line, or `p90` in Python.
        """
        return words(Note(code, values), self._names)

    def done(self) -> None:
        """Raise InputError if problems were recorded. The error lists all these problems."""
        if self._problems:
            raise InputError(self._problems)


def simulation(
    check: Checks, seed: Any, samples: Any, precision: Any, max_time: Any, backend: Backend, progress: Progress | None
) -> Simulation:
    """Check the seed and the stopping rule of a simulation. Return a `Simulation` with the checked values."""
    return Simulation(
        check.take("seed", seed, _seed),
        check.optional("samples", samples, lambda value: units.whole(value, MOST_SAMPLES)),
        check.optional("precision", precision, units.precision),
        check.optional("max_time", max_time, _time("30s")),
        backend,
        progress,
    )


def threads(check: Checks, value: Any) -> int | None:
    """Check a number of threads. Return the number. None means all cores."""
    count: int | None = check.optional("threads", value, lambda value: units.whole(value, MOST_THREADS))
    return count


def off(value: Any) -> float:
    """Parse the factor by which a sensitivity analysis changes each number, such as `1.5x`.

    The factor must be above 1 and at most `MOST_OFF`.
    """
    factor = units.factor(value)
    if not 1 < factor <= MOST_OFF:
        raise ValueError(f"expected a factor above 1x, up to {MOST_OFF:g}x, such as 1.5x")
    return factor


def usd(value: Any) -> float:
    """Parse an amount of US dollars. `value` is a number or a text such as ``"$120"``."""
    return float(units.money(value))


def existing_folder(value: Any) -> Path:
    """Return `value` as the path of a folder. Raises ValueError if the folder does not exist."""
    path = Path(value)
    if not os.fspath(value) or not path.is_dir():
        raise ValueError("expected a folder that exists")
    return path


def decision_options(
    check: Checks, value_of_time: Any, waiting: Any, setup: Any, runs: Any, every_n: Any, worth: Any = None
) -> DecisionOptions:
    """Check the arguments of `compare` that concern decisions. Return a `DecisionOptions` with the checked values."""
    from planner.planning.decisions.advice import WORTH
    from planner.planning.decisions.decide import DecisionOptions
    from planner.planning.decisions.payback import Setup

    def count(value: Any) -> int:
        if setup is None:
            raise RefusedError("needs-setup")
        return units.whole(value, MOST_RUNS)

    hour = check.optional(
        "value_of_time", value_of_time, lambda value: units.positive(float(units.money_per_hour(value)))
    )
    people = check.take("waiting", waiting, _people)
    once = check.optional("setup", setup, units.setup_of)
    times = check.optional("runs", runs, count)
    every = check.take("every_n", every_n, _flag)
    least = check.optional("worth", worth, units.chance)
    setup_cost = once and Setup(once[0], once[1], times)
    return DecisionOptions(bool(every), hour, people or 1.0, setup_cost, WORTH if least is None else least)


def target(check: Checks, p50: Any, p90: Any, p95: Any, budget: Any) -> Target:
    """Check a deadline and a budget. Return them as a `Target`.

    p50, p90, p95 : deadline for 50, 90 or 95 % of runs; exactly one deadline must be given
    budget : largest cost of a run in US dollars. This limit must hold for the same percentage of runs as the deadline.
        None: no limit
    """
    from planner.planning.target.goal import Target

    percentile, deadline = _deadline(check, p50, p90, p95)
    if all(value is None for value in (p50, p90, p95)):
        check.add(check.words("one-deadline"))
    return Target(percentile, deadline or 1.0, check.optional("budget", budget, usd))


def limits(check: Checks, p50: Any, p90: Any, p95: Any, budget: Any) -> Limits:
    """Check a deadline, a budget or both. Return them as `Limits`. The arguments are those of `target`.

    Without a deadline, the budget must hold for 50 % of runs.
    """
    from planner.planning.tier.limits import Limits

    percentile, deadline = _deadline(check, p50, p90, p95)
    most = check.optional("budget", budget, usd)
    if budget is None and all(value is None for value in (p50, p90, p95)):
        check.add(check.words("deadline-or-budget"))
    return Limits(percentile, deadline, most)


def _deadline(check: Checks, p50: Any, p90: Any, p95: Any) -> tuple[float, float | None]:
    """Return the percentile and the value of the deadline that is given. Without a deadline, return 0.5 and None.

    Record a problem if several deadlines are given.
    """
    given = [(q, name, value) for q, name, value in ((0.5, "p50", p50), (0.9, "p90", p90), (0.95, "p95", p95))
             if value is not None]  # fmt: skip
    seconds = [check.take(name, value, _time("4h")) for _, name, value in given]
    if len(given) > 1:
        check.add(check.words("one-deadline"))
    return (given[0][0], seconds[0]) if given else (0.5, None)


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
