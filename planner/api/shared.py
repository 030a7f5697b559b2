"""What all calls that simulate take: when to stop, where to simulate, whom to tell of progress."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from planner.api import arguments
from planner.planning.backends import Backend, Dask, Threads

Progress = Callable[[float], None]
"""Told the share that is done, 0 to 1."""


def stopping_of(check: arguments.Arguments, samples: Any, precision: Any, max_time: Any) -> dict[str, Any]:
    """When to stop, as arguments of `planner.planning`."""
    return {
        "samples": check.take("samples", samples, arguments.either(arguments.samples)),
        "precision": check.take("precision", precision, arguments.either(arguments.precision)),
        "max_time": check.take("max_time", max_time, arguments.either(arguments.max_time)),
    }


def backend_of(check: arguments.Arguments, threads: Any, scheduler: Any) -> Backend:
    """Threads, or a cluster where its scheduler is given."""
    count = check.take("threads", threads, arguments.either(arguments.threads))
    address = check.take("scheduler", scheduler, arguments.either(arguments.scheduler(count)))
    return Threads(count) if address is None else Dask(address)


def silent(done: float) -> None:
    """No progress is shown."""
