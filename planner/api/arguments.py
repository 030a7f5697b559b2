"""Arguments of a call in, checked values out, or an `InputError` with every problem."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from planner.catalogue.catalogue import Catalogue
from planner.catalogue.premium import FITTED, MOST_EXPONENT, Premium
from planner.errors import InputError, Problem
from planner.limits import MOST_SAMPLES
from planner.loading import Loaded
from planner.reading import units
from planner.reading.validation import MOST_AGENTS
from planner.report.wording.notes import ARGUMENTS, worded_error
from planner.sampling.backends import missing
from planner.workflow.declaration import RUNTIMES


class Arguments:
    """Checks one argument after the other; `done` raises what was wrong with all of them."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []

    def take(self, name: str, value: Any, parse: Callable[[Any], Any]) -> Any:
        """The value, or None where it is wrong."""
        try:
            return parse(value)
        except (ValueError, TypeError) as mistake:
            hint = getattr(mistake, "hint", None)
            self._problems.append(Problem("bad-value", f"{name}: {value!r}: {mistake}", None, hint))
            return None

    def each(self, name: str, values: Any, parse: Callable[[Any], Any], example: str = "[1, 2, 4]") -> list[Any]:
        """Several values, at least one."""
        if isinstance(values, str) or not isinstance(values, Iterable) or not (listed := list(values)):
            self.take(name, values, _refuse(f"expected a list of at least one, such as {example}"))
            return []
        return [self.take(name, value, parse) for value in listed]

    def add(self, message: str) -> None:
        """What is wrong with several arguments together."""
        self._problems.append(Problem("bad-value", message, None, None))

    def done(self) -> None:
        if self._problems:
            raise InputError(self._problems)


def speed(value: Any) -> float:
    """A factor on every output speed, as a number or as in ``"2.5x"``."""
    return units.factor(value)


def agents(value: Any) -> int:
    """A number of agents."""
    return units.whole(value, MOST_AGENTS)


def agents_of_crews(value: Any) -> int | dict[str, int]:
    """A number of agents, or one for each crew that is named."""
    if not isinstance(value, Mapping):
        return agents(value)
    if not value:
        raise ValueError("expected at least one crew, such as {'reviewers': 6}")
    return {name(crew): agents(count) for crew, count in value.items()}


def samples(value: Any) -> int:
    """A number of samples."""
    return units.whole(value, MOST_SAMPLES)


def precision(value: Any) -> float:
    """A share, as a number or as in ``"1%"``."""
    return units.precision(value)


def max_time(value: Any) -> float:
    """Seconds, as a number or as in ``"30s"``."""
    seconds = float(value) if units.is_number(value) else units.duration(value)
    if not seconds > 0:
        raise ValueError("expected a time above 0, in seconds or as '30s'")
    return seconds


def threads(value: Any) -> int:
    """A number of threads."""
    return units.whole(value, 1024)


def scheduler(threads: Any) -> Callable[[Any], str]:
    """The address of a Dask scheduler, which takes no number of threads."""

    def parse(value: Any) -> str:
        if threads is not None:
            raise ValueError("it takes no threads, which are those of this machine")
        lacking = missing()
        if lacking:
            raise ValueError(f"it needs {lacking}: pip install 'agent-loop-planner[dask]'")
        return name(value)

    return parse


def usd(value: Any) -> float:
    """US dollars, as a number or as in ``"$120"``."""
    return float(units.money(value))


def deadline(value: Any) -> float:
    """Seconds above 0, as a number or as in ``"4h"``."""
    seconds = float(value) if units.is_number(value) else units.duration(value)
    if not 0 < seconds < math.inf:
        raise ValueError("expected a time above 0, in seconds or as '4h'")
    return seconds


def people(value: Any) -> float:
    """How many people; a share of one is fine."""
    return units.at_most(units.positive(units.count(value)), 1e6)


def setup(value: Any) -> tuple[float, float]:
    """Seconds and US dollars of ``"2h"``, ``"$500"`` or ``"2h,$500"``."""
    return units.setup_of(value)


def runs(setup: Any) -> Callable[[Any], Any]:
    """A number of runs, which goes with a setup; None: not known."""

    def parse(value: Any) -> int | None:
        if value is None:
            return None
        if setup is None:
            raise ValueError("it goes with a setup, such as setup='2h,$500'")
        return units.whole(value, 10**9)

    return parse


def flag(value: Any) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise ValueError("expected True or False")
    return value


def seed(value: Any) -> int:
    """A whole number from 0."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("expected a whole number from 0")
    return value


def name(value: Any) -> str:
    """A name."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("expected a name")
    return value.strip()


def names(value: Any) -> Any:
    """Names as a list; a text has commas between them, as on the command line."""
    return value.split(",") if isinstance(value, str) else value


def progress(value: Any) -> Callable[[float], None]:
    """What is told the share that is done."""
    if not callable(value):
        raise ValueError("expected a function of the share that is done")
    told: Callable[[float], None] = value
    return told


def runtime(value: Any) -> str:
    """What runs a workflow."""
    if value not in RUNTIMES:
        raise ValueError("expected 'dataflow' or 'langgraph'")
    return str(value)


def premium(value: Any) -> Premium:
    """A law of prices, its exponent, or None: the fitted one."""
    if value is None:
        return FITTED
    if isinstance(value, Premium):
        return value
    try:
        return Premium(units.count(value))
    except ValueError:
        raise ValueError(
            f"expected an exponent from 0 to {MOST_EXPONENT}, or a Premium such as .through(2.5, 6)"
        ) from None


def parameters(value: Any) -> dict[str, float]:
    """Numbers by name."""
    if not isinstance(value, Mapping):
        raise ValueError("expected a mapping of names to numbers, such as {'modules': 240}")
    return {name(one): units.count(number) for one, number in value.items()}


def catalogue(value: Any) -> Catalogue | Path | None:
    """A catalogue, the user's file, or None: it is looked for."""
    return value if value is None or isinstance(value, Catalogue) else Path(os.fspath(value))


def source(value: Any) -> Path | str:
    """A workflow's file, or its text: a string of several lines."""
    if isinstance(value, str) and "\n" in value:
        return value
    return Path(os.fspath(value))


def loaded(value: Any) -> Loaded:
    """A workflow that has been read."""
    if not isinstance(value, Loaded):
        raise ValueError("expected a workflow of load_workflow()")
    return value


def either(parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same, where None stands for what is declared."""
    return lambda value: None if value is None else parse(value)


@contextmanager
def in_python() -> Iterator[None]:
    """Let problems name arguments of Python."""
    try:
        yield
    except InputError as error:
        raise worded_error(error, ARGUMENTS) from None


def _refuse(message: str) -> Callable[[Any], Any]:
    def refuse(value: Any) -> Any:
        raise ValueError(message)

    return refuse
