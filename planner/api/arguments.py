"""Check the arguments of Python calls: arguments in, checked values out. A wrong value raises ValueError."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from planner.api import checks
from planner.api.checks import Checks
from planner.api.request import Simulation
from planner.catalogue.catalogue import Catalogue
from planner.catalogue.premium import FITTED, MOST_EXPONENT, Premium
from planner.errors import InputError
from planner.loading import Loaded
from planner.reading import units
from planner.reading.fields import MOST_AGENTS
from planner.report.wording.notes import ARGUMENTS, worded_error
from planner.sampling.backends import Backend, DaskBackend, ThreadBackend, missing
from planner.workflow.declaration import RUNTIMES


@contextmanager
def in_python() -> Iterator[None]:
    """Context manager that rewords the messages of an InputError for Python calls.

    For example, the new message names the argument `speeds` instead of the option `--speed`.
    """
    try:
        yield
    except InputError as error:
        raise worded_error(error, ARGUMENTS) from None


def loaded(value: Any) -> Loaded:
    """Return `value` if it is a workflow from `load_workflow`. Raises ValueError for any other value."""
    if not isinstance(value, Loaded):
        raise ValueError("expected a workflow of load_workflow()")
    return value


def source(value: Any) -> Path | str:
    """Return the text of a workflow unchanged, or return the path of a workflow's file.

    A string with several lines is a text. Any other value is a path.
    """
    if isinstance(value, str) and "\n" in value:
        return value
    return Path(os.fspath(value))


def parameters(value: Any) -> dict[str, float]:
    """Check that `value` maps names of parameters to numbers. Return the mapping as a dict."""
    if not isinstance(value, Mapping):
        raise ValueError("expected a mapping of names to numbers, such as {'modules': 240}")
    return {name(key): units.count(number) for key, number in value.items()}


def catalogue(value: Any) -> Catalogue | Path | None:
    """Return a `Catalogue` or None unchanged. Return any other value as the path of a catalogue file."""
    return value if value is None or isinstance(value, Catalogue) else Path(os.fspath(value))


def name(value: Any) -> str:
    """Check that `value` is a name. Return the name without leading and trailing spaces."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("expected a name")
    return value.strip()


def agents(value: Any) -> int:
    """Check that `value` is a valid number of agents. Return the number."""
    return units.whole(value, MOST_AGENTS)


def agents_of_crews(value: Any) -> int | dict[str, int]:
    """Check and return a number of agents, or a mapping from crews to numbers, such as `{"reviewers": 6}`."""
    if not isinstance(value, Mapping):
        return agents(value)
    if not value:
        raise ValueError("expected at least one crew, such as {'reviewers': 6}")
    return {name(crew): agents(count) for crew, count in value.items()}


def one_of_each(check: Checks, agents_: Any, crew: Any) -> int | dict[str, int] | None:
    """Check a number of agents, or a mapping from crews to numbers. With a mapping, `crew` must be None."""
    _either(check, agents_, crew)
    count: int | dict[str, int] | None = check.optional("agents", agents_, agents_of_crews)
    return count


def several_of_each(check: Checks, agents_: Any, crew: Any) -> list[int] | dict[str, list[int]] | None:
    """Check a list of numbers of agents, or a mapping from crews to lists. With a mapping, `crew` must be None."""
    _either(check, agents_, crew)
    if agents_ is None:
        return None
    if not isinstance(agents_, Mapping):
        return _each(check, "agents", agents_, agents)
    if not agents_:
        check.add("agents: {}: expected at least one crew, such as {'reviewers': [2, 4]}")
    return {
        check.take("agents", crew, name): _each(check, "agents", counts, agents) for crew, counts in agents_.items()
    }


def _either(check: Checks, agents_: Any, crew: Any) -> None:
    if isinstance(agents_, Mapping) and crew is not None:
        check.add(check.words("crew-and-names"))


def premium(value: Any) -> Premium:
    """Return the price law for speeds above 1.

    value : a price law, or the exponent `x` of the law `price = speed ** x`; None: the law fitted to the catalogue
    """
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


def source_and_crew(check: Checks, workflow: Any, runtime: Any, crew: Any) -> dict[str, Any]:
    """Check a workflow, a runtime and the name of a crew. Return a dict of keyword arguments for a `Request`."""
    return {
        "workflow": check.take("workflow", workflow, loaded),
        "runtime": check.optional("runtime", runtime, _runtime),
        "crew": check.optional("crew", crew, name),
    }


def grid(check: Checks, speeds: Any, agents_: Any, crew: Any, models: Any, premium_: Any) -> dict[str, Any]:
    """Check the speeds, numbers of agents, models and premium of a grid of scenarios.

    crew : name of a crew, if `agents_` does not name the crews

    Returns a dict of keyword arguments for a `GridRequest`.
    """
    listed = models.split(",") if isinstance(models, str) else models
    return {
        "models": _each(check, "models", listed, name, "['sonnet', 'opus']") if models else (),
        "speeds": None if speeds is None else _each(check, "speeds", speeds, units.factor),
        "agents": several_of_each(check, agents_, crew),
        "premium": check.take("premium", premium_, premium),
    }


def simulation(
    check: Checks, seed: Any, samples: Any, precision: Any, max_time: Any, threads: Any, scheduler: Any, progress: Any
) -> Simulation:
    """Check the arguments that control a simulation. Return a `Simulation` with the checked values."""
    told = check.optional("progress", progress, _progress)
    backend = _backend(check, threads, scheduler)
    return checks.simulation(check, seed, samples, precision, max_time, backend, told)


def _backend(check: Checks, threads: Any, scheduler: Any) -> Backend:
    count = checks.threads(check, threads)

    def address(value: Any) -> str:
        if count is not None:
            raise ValueError("omit threads: the cluster sets its own number")
        lacking = missing()
        if lacking:
            raise ValueError(f"it needs {lacking}: pip install 'agent-loop-planner[dask]'")
        return name(value)

    cluster = check.optional("scheduler", scheduler, address)
    return ThreadBackend(count) if cluster is None else DaskBackend(cluster)


def _each(
    check: Checks, argument: str, values: Any, parse: Callable[[Any], Any], example: str = "[1, 2, 4]"
) -> list[Any]:
    """Parse each value of a list with `parse`. Record problems in `check`.

    argument : name of the argument, for messages
    example : example of a correct list; a message shows it if `values` is empty or is not a list
    """

    def several(values: Any) -> list[Any]:
        if isinstance(values, str) or not isinstance(values, Iterable) or not (listed := list(values)):
            raise ValueError(f"expected a list of at least one value, such as {example}")
        return listed

    return check.each(argument, check.take(argument, values, several) or (), parse)


def _progress(value: Any) -> Callable[[float], None]:
    if not callable(value):
        raise ValueError("expected a function that takes the completed share")
    function: Callable[[float], None] = value
    return function


def _runtime(value: Any) -> str:
    if value not in RUNTIMES:
        raise ValueError("expected 'dataflow' or 'langgraph'")
    return str(value)
