"""A workflow in; notes on crews of groups and fan-outs from which no step inside takes an agent, out."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from planner.errors import Note
from planner.expansion.graph.order import max_concurrent_weight, needs
from planner.workflow.checks.agents import (
    coordinating_crews,
    crews_taken,
    depends_on_agents,
    takes_agent_around,
)
from planner.workflow.declaration import Step, Workflow


def crew_without_agents(
    step: Step, name: str, around: str | None, held: bool, coordinating: Collection[str]
) -> Iterator[Note]:
    """Yield a note if a group or a fan-out names a crew, and no step inside takes an agent because of it.

    If `crew` on a fan-out still makes the steps of an item run in turn, the note says so.

    name : full name of the step
    around : crew to which the steps around this step belong; None: they belong to no crew
    held : whether an agent holds the item that contains the step
    coordinating : result of `coordinating_crews`
    """
    if step.crew is None or not step.within or not {step.crew, around}.isdisjoint(coordinating):
        return
    held = held if step.for_each is None else True
    if any(takes_agent_around(inner, held) or _reads_agents(inner) for inner in step.within.values()):
        return
    values: dict[str, Any] = {
        "step": name,
        "crew": step.crew,
        "named_inside": step.crew in crews_taken(step, around, held),
        "person_or_tool": next(_unmanned(step, name), None),
    }
    yield Note("crew-only-in-turn" if around is None and _in_turn(step) else "crew-without-effect", values)


def _reads_agents(step: Step) -> bool:
    """Whether arithmetic of a step uses the number of agents of a crew that a step around it names."""
    if step.crew is not None:
        return False
    return any(map(_reads_agents, step.within.values())) if step.within else depends_on_agents(step)


def _unmanned(step: Step, name: str) -> Iterator[str]:
    """Yield the full names of people and tools inside a step that name no crew and may name one."""
    for inner_name, inner in step.within.items():
        full = f"{name}.{inner_name}"
        if inner.crew is None and inner.kind in ("tool", "human") and inner.hold is None:
            yield full
        yield from _unmanned(inner, full)


def _in_turn(step: Step) -> bool:
    """Whether items of a step, or of steps inside it that name no crew, run steps in turn only because of the crew."""
    if step.for_each is not None:
        return _side_by_side(step)
    return any(_in_turn(inner) for inner in step.within.values() if inner.crew is None)


def _side_by_side(step: Step) -> bool:
    """Whether steps inside a step would run side by side if nobody held the item."""
    inner = step.within
    if step.choose is None and max_concurrent_weight(dict.fromkeys(inner, 1), needs(inner)) > 1:
        return True
    return any(map(_side_by_side, inner.values()))


def unused_crews(workflow: Workflow) -> tuple[Note, ...]:
    """Return a note for each crew that no step names, and for each crew from which no step takes an agent."""
    named = {step.crew for _, step in workflow.walk()}
    coordinating = coordinating_crews(workflow)
    taken = {crew for step in workflow.steps.values() for crew in crews_taken(step, None, False, coordinating)}
    return tuple(
        Note("idle-crew" if name in named else "unused-crew", {"crew": name, **_pay(workflow, name)})
        for name in workflow.crews
        if name not in taken
    )


def _pay(workflow: Workflow, crew: str) -> dict[str, Any]:
    """Return whether the agents of a crew are paid, and when: ``busy`` or ``always``."""
    declared = workflow.crews[crew]
    return {"paid": None if declared.usd is None else declared.paid}
