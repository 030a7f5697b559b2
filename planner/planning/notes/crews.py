"""A workflow in; notes on crews of groups and fan-outs from which no step inside takes an agent, out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from planner.errors import Note
from planner.expansion.graph.order import max_concurrent_weight, needs
from planner.expansion.graph.task_graph import DEFAULT_CREW
from planner.planning.notes.effects import crew_keys_without_effect
from planner.workflow.checks.agents import (
    coordinating_crews,
    crews_taken,
    depends_on_agents,
    needs_agent_of_outer_crew,
)
from planner.workflow.declaration import Step, Workflow


def crew_without_agents(
    step: Step, name: str, around: str | None, held: bool, coordinating: Collection[str]
) -> Iterator[Note]:
    """Yield a note if the key `crew` of a group or a fan-out does not make any step inside take an agent.

    The key may still have another effect: the steps of an item run one after another instead of in parallel. The note
    then says so.

    name : full name of the step
    around : crew of the step that contains this step; None: no crew
    held : whether the step is inside a fan-out in which one agent does all steps of an item
    coordinating : the crews that have coordination or lockstep with an effect
    """
    if step.crew is None or not step.within:
        return
    has_items = _has_held_items(step)
    if has_items and not {step.crew, around}.isdisjoint(coordinating):
        return
    inside_held = held if step.for_each is None else True
    if any(needs_agent_of_outer_crew(inner, inside_held) or _reads_agents(inner) for inner in step.within.values()):
        return
    taken = list(crews_taken(step, around, held))
    if taken != list(crews_taken(step.model_copy(update={"crew": None}), around, held)):
        return  # a group inside names another crew, which does tools only in held items
    if has_items and step.crew in taken:
        return  # an agent that a step of an item names is held
    values: dict[str, Any] = {
        "step": name,
        "crew": step.crew,
        "named_inside": step.crew in taken,
        "person_or_tool": min(_unmanned(step, name), default=None),
    }
    keeps_agents = has_items and len(taken) > 1  # from one step of an item to the next, if both name the same crew
    in_turn = around is None and (keeps_agents or _in_turn(step))
    yield Note("crew-only-in-turn" if in_turn else "crew-without-effect", values)


def _has_held_items(step: Step) -> bool:
    """Whether a step is a fan-out with steps inside, or contains such a fan-out that uses the same crew.

    In such a fan-out, one agent of the crew does all steps of an item, and so holds the item.
    """
    inner = (inner for inner in step.within.values() if inner.crew is None)
    return (bool(step.within) and step.for_each is not None) or any(map(_has_held_items, inner))


def _reads_agents(step: Step) -> bool:
    """Whether an expression in a step uses the number of agents of the crew that it inherits from an outer step."""
    if step.crew is not None:
        return False
    return any(map(_reads_agents, step.within.values())) if step.within else depends_on_agents(step)


def _unmanned(step: Step, name: str) -> Iterator[str]:
    """Yield the full names of the steps inside a step that are done by a person or a tool, and that name no crew.

    Steps with the key `hold` are left out.

    name : full name of the step
    """
    for inner_name, inner in step.within.items():
        full = f"{name}.{inner_name}"
        if inner.crew is None and inner.kind in ("tool", "human") and inner.hold is None:
            yield full
        yield from _unmanned(inner, full)


def _in_turn(step: Step) -> bool:
    """Whether the crew of a step makes the steps of an item run one after another that could run in parallel.

    The items are those of the step, or of a fan-out inside it that inherits its crew.
    """
    if step.for_each is not None:
        return _has_parallel_steps(step)
    return any(_in_turn(inner) for inner in step.within.values() if inner.crew is None)


def _has_parallel_steps(step: Step) -> bool:
    """Whether some steps inside a step could run in parallel, because they do not need each other."""
    inner = step.within
    if step.choose is None and max_concurrent_weight(dict.fromkeys(inner, 1), needs(inner)) > 1:
        return True
    return any(map(_has_parallel_steps, inner.values()))


def unused_crews(workflow: Workflow) -> tuple[Note, ...]:
    """Return a note for each crew that no step names, and for each paid crew that steps name but never use.

    An unpaid crew that steps name but never use has no note here, because the notes on these steps are enough.
    """
    named = {step.crew for _, step in workflow.walk()}
    coordinating = effective_coordination(workflow)
    taken = {crew for step in workflow.steps.values() for crew in crews_taken(step, None, False, coordinating)}
    return tuple(
        Note("idle-crew" if name in named else "unused-crew", {"crew": name, **_pay(workflow, name)})
        for name in workflow.crews
        if name not in taken and (name not in named or workflow.crews[name].usd is not None)
    )


def effective_coordination(workflow: Workflow) -> frozenset[str]:
    """Return the crews with coordination or lockstep, without those for which these keys have no effect."""
    return coordinating_crews(workflow) - {crew for crew, _ in crew_keys_without_effect(workflow)}


def limit_without_effect(workflow: Workflow, sizes: Mapping[str, int]) -> tuple[Note, ...]:
    """Return a note if the number of agents of a workflow without crews is given, but nothing depends on it.

    sizes : number of agents of each crew
    """
    requests = [crew for step in workflow.steps.values() for crew in _crews_of_requests(step, None)]
    if DEFAULT_CREW not in sizes or None in requests or depends_on_agents(workflow):
        return ()
    return (Note("agents-without-effect", {"lead": bool(requests)}),)


def _crews_of_requests(step: Step, around: str | None) -> Iterator[str | None]:
    """Yield the crew of each request and agent loop of a step, and of the steps inside it."""
    crew = step.crew or around
    if step.kind in ("llm", "agent"):
        yield crew
    for inner in step.within.values():
        yield from _crews_of_requests(inner, crew)


def _pay(workflow: Workflow, crew: str) -> dict[str, Any]:
    """Return whether the agents of a crew are paid, and when: ``busy`` or ``always``."""
    declared = workflow.crews[crew]
    return {"paid": None if declared.usd is None else declared.paid}
