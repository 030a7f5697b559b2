"""What several calls take: what is varied, when to stop, where to simulate, whom to tell of progress."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from planner.api import arguments
from planner.errors import Note
from planner.loading import Loaded
from planner.sampling.backends import Backend, DaskBackend, ThreadBackend
from planner.workflow.declaration import Workflow

Progress = Callable[[float], None]
"""Told the share that is done, 0 to 1."""


def source_of(check: arguments.Arguments, workflow: Any, runtime: Any) -> tuple[Loaded, str | None]:
    """What was loaded, and what runs it in the place of its own."""
    plan = check.take("workflow", workflow, arguments.loaded)
    return plan, check.take("runtime", runtime, arguments.either(arguments.runtime))


def scenario_of(
    check: arguments.Arguments, agents: Any, crew: Any, model: Any, parse: Callable[[Any], Any] = arguments.agents
) -> tuple[str | None, dict[str, Any]]:
    """A profile in the place of the workflow's; agents of a crew, as arguments of `planner.planning`."""
    on = check.take("model", model, arguments.either(arguments.name))
    return on, {
        "agents": check.take("agents", agents, arguments.either(parse)),
        "crew": check.take("crew", crew, arguments.either(arguments.name)),
    }


def served_by(plan: Loaded, model: str | None, runtime: str | None) -> tuple[Workflow, tuple[Note, ...]]:
    """The workflow of one scenario, and notes on what serves it."""
    served, notes = plan.serving([model] if model else (), runtime)
    return served.on(model) if model else served, notes


def grid_of(
    check: arguments.Arguments, speeds: Any, agents: Any, crew: Any, models: Any, premium: Any
) -> dict[str, Any]:
    """Scenarios to compare, as arguments of `planner.planning`."""
    on = check.each("models", arguments.names(models), arguments.name, "['sonnet', 'opus']") if models else []
    wanted = ((1.0,) if len(on) > 1 else (1.0, 1.5, 2.5, 5.0, 8.0)) if speeds is None else speeds
    return {
        "models": on,
        "speeds": check.each("speeds", wanted, arguments.speed),
        "agents": check.each("agents", agents, arguments.agents),
        "crew": check.take("crew", crew, arguments.either(arguments.name)),
        "premium": check.take("premium", premium, arguments.premium),
    }


def run_of(
    check: arguments.Arguments, seed: Any, samples: Any, precision: Any, max_time: Any, progress: Any
) -> dict[str, Any]:
    """What is drawn, when to stop, and whom to tell, as arguments of `planner.planning`."""
    return {
        "seed": check.take("seed", seed, arguments.seed),
        "samples": check.take("samples", samples, arguments.either(arguments.samples)),
        "precision": check.take("precision", precision, arguments.either(arguments.precision)),
        "max_time": check.take("max_time", max_time, arguments.either(arguments.max_time)),
        "progress": check.take("progress", progress or _silent, arguments.progress),
    }


def backend_of(check: arguments.Arguments, threads: Any, scheduler: Any) -> Backend:
    """Threads, or a cluster where its scheduler is given."""
    count = check.take("threads", threads, arguments.either(arguments.threads))
    address = check.take("scheduler", scheduler, arguments.either(arguments.scheduler(count)))
    return ThreadBackend(count) if address is None else DaskBackend(address)


def _silent(done: float) -> None:
    """No progress is shown."""
