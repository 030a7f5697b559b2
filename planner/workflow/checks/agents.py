"""A workflow in; the arithmetic that uses the number of agents, and problems where there is no such number, out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from planner.errors import Note, Problem
from planner.reading.estimates.arithmetic import AGENTS
from planner.reading.estimates.counts import ComputedCount
from planner.reading.estimates.forms import Arithmetic, ByModel
from planner.reading.fields import Declared
from planner.workflow.crews import Coordination
from planner.workflow.declaration import Step, Workflow

_CONTAINERS = ("steps", "choose", "use")
"""Keys of a step with other steps inside."""


def unbound_agents(workflow: Workflow) -> list[Problem]:
    """Return a problem for each expression with `agents` in a step that is done without any agent of a crew.

    In an expression, `agents` is the number of agents of the crew that does the step. So it has no value there.
    """
    remedy = Note("bind-agents", {"crews": tuple(workflow.crews)})
    coordinating = coordinating_crews(workflow)

    def group(steps: Mapping[str, Step], path: tuple[str, ...], around: str | None, held: bool) -> Iterator[Problem]:
        for name, step in steps.items():
            yield from of_step(step, (*path, name), around, held)

    def of_step(step: Step, path: tuple[str, ...], around: str | None, held: bool) -> Iterator[Problem]:
        keys = (key for key in type(step).model_fields if key not in _CONTAINERS)
        uses = [place for key in keys for place in _uses_of_agents(getattr(step, key), (*path, key))]
        crew = step.crew or around
        if uses and (crew is None or crew not in crews_taken(step, around, held, coordinating)):
            message = f"'{AGENTS}' has no value in '{path[-1]}', because no crew does this step"
            for place in uses:
                yield Problem("unbound-agents", message, workflow.place(*place), remedy=remedy)
        held = held if step.for_each is None else step.is_held(around)
        if step.used is not None:
            yield from group(step.used.steps, (*path, "use"), crew, held)
        yield from group(step.steps or {}, (*path, "steps"), crew, held)
        yield from group(step.choose or {}, (*path, "choose"), crew, held)

    return list(group(workflow.steps, ("steps",), None, held=False))


def crews_taken(step: Step, around: str | None, held: bool, coordinating: Collection[str] = ()) -> Iterator[str]:
    """Yield the crew of each agent that a step takes, or that a step inside it takes.

    around : crew to which the steps around this step belong; None: they belong to no crew
    held : whether an agent holds the item that contains the step
    coordinating : names of the crews whose agents do something for each item besides its steps, such as a merge
    """
    crew = step.crew or around
    if step.for_each is not None:
        held = step.is_held(around)
        if held and crew is not None and crew in coordinating:
            yield crew
    if not step.within and crew is not None and (step.crew is not None or needs_agent_of_outer_crew(step, held)):
        yield crew
    for inner in step.within.values():
        yield from crews_taken(inner, crew, held, coordinating)


def needs_agent_of_outer_crew(step: Step, held: bool) -> bool:
    """Whether a step, or a step inside it, needs an agent and names no crew, so that it uses the crew of an outer step.

    held : whether an agent holds the item that contains the step
    """
    if step.crew is not None:
        return False
    if step.for_each is not None:
        held = step.kind not in ("tool", "human")
    if step.within:
        return any(needs_agent_of_outer_crew(inner, held) for inner in step.within.values())
    return step.kind in ("llm", "agent") or (step.kind == "tool" and held and step.hold is not False)


def coordinating_crews(workflow: Workflow) -> frozenset[str]:
    """Return the names of the crews with `coordination` or `lockstep`.

    An item of such a crew needs an agent of the crew even if no step of the item does.
    """
    crews = workflow.crews.items()
    return frozenset(name for name, crew in crews if crew.lockstep or crew.coordination != Coordination())


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
