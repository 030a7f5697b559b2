"""A workflow in; the arithmetic that uses the number of agents, and problems where there is no such number, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from planner.errors import Note, Problem
from planner.reading.estimates.arithmetic import AGENTS
from planner.reading.estimates.counts import ComputedCount
from planner.reading.estimates.forms import Arithmetic, ByModel
from planner.reading.fields import Declared
from planner.workflow.declaration import Step, Workflow

_CONTAINERS = ("steps", "choose", "use")
"""Keys of a step with other steps inside."""


def unbound_agents(workflow: Workflow) -> list[Problem]:
    """Return a problem for each quantity that uses `agents` in a step without a crew.

    In an expression, `agents` is the number of agents of the step's crew.
    """
    remedy = Note("bind-agents", {"crews": tuple(workflow.crews)})

    def group(steps: Mapping[str, Step], path: tuple[str, ...]) -> Iterator[Problem]:
        for name, step in steps.items():
            if step.crew is None:
                yield from of_step(step, (*path, name))

    def of_step(step: Step, path: tuple[str, ...]) -> Iterator[Problem]:
        for key in type(step).model_fields:
            for place in () if key in _CONTAINERS else _uses_of_agents(getattr(step, key), (*path, key)):
                message = f"'{AGENTS}' has no value in '{path[-1]}', because no crew does this step"
                yield Problem("unbound-agents", message, workflow.place(*place), remedy=remedy)
        if step.used is not None:
            yield from group(step.used.steps, (*path, "use"))
        yield from group(step.steps or {}, (*path, "steps"))
        yield from group(step.choose or {}, (*path, "choose"))

    return list(group(workflow.steps, ("steps",)))


def _uses_of_agents(declared: object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Search a declaration for quantities that depend on the number of agents. Yield the path of each.

    path : keys in the file that lead to the declaration
    """
    if isinstance(declared, Declared):
        for name in type(declared).model_fields:
            yield from _uses_of_agents(getattr(declared, name), (*path, name))
    elif isinstance(declared, ByModel):
        for model, estimate in declared.models:
            yield from _uses_of_agents(estimate, (*path, "by_model", model))
    elif depends_on_agents(declared):
        yield path


def depends_on_agents(declared: object) -> bool:
    """Whether any arithmetic expression in a declaration uses the number of agents."""
    if isinstance(declared, ComputedCount):
        return AGENTS in declared.formula.names
    if isinstance(declared, Arithmetic):
        return any(AGENTS in formula.names for formula in declared.formulas)
    if isinstance(declared, ByModel):
        return any(depends_on_agents(estimate) for _, estimate in declared.models)
    if isinstance(declared, Workflow):
        return depends_on_agents(declared.steps) or depends_on_agents(declared.crews)
    if isinstance(declared, Step) and declared.used is not None:
        return depends_on_agents(declared.used)
    if isinstance(declared, Declared):
        return any(depends_on_agents(getattr(declared, name)) for name in type(declared).model_fields)
    return isinstance(declared, dict) and any(map(depends_on_agents, declared.values()))
