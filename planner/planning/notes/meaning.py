"""A workflow and crew sizes in; notes where the file may mean something else than its author thought, out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from planner.catalogue.profile import resolve
from planner.errors import Note
from planner.expansion.build.size_limits import count_at, most_drawn
from planner.expansion.graph.order import sorted_by_name
from planner.expansion.graph.task_graph import DEFAULT_CREW
from planner.expansion.supersteps.runtime import Runtime
from planner.planning.notes.crews import crew_without_agents, effective_coordination
from planner.planning.notes.effects import (
    caches_more_than_input,
    crew_keys_without_effect,
    group_keys_without_effect,
    has_sizes,
    keys_between_turns,
    reads_cached,
)
from planner.reading.estimates.estimate import Estimate
from planner.reading.estimates.forms import Arithmetic
from planner.reading.fields import Declared
from planner.workflow.crews import LEAD
from planner.workflow.declaration import Step, Workflow

FEW = 5
"""Up to `FEW` tools run side by side without a note."""


@dataclass(frozen=True)
class _Around:
    """The context of a step: facts that follow from the steps that contain it.

    values : values of the parameters of the step's file
    name : full name of the step; empty for the workflow itself
    crew : crew of the step; None: no crew
    model : name of the profile of the step's requests; None: no profile is named
    held : whether the step is inside a fan-out in which one agent does all steps of an item
    sized : whether the step is inside a fan-out whose items have different sizes
    count : largest number of simultaneous executions of the step. Copies of one item count separately
    items : largest number of items whose executions are simultaneous. Copies of one item count once
    """

    values: Mapping[str, float]
    name: str = ""
    crew: str | None = None
    model: str | None = None
    held: bool = False
    sized: bool = False
    count: int = 1
    items: int = 1


def meaning_notes(workflow: Workflow, sizes: Mapping[str, int]) -> tuple[Note, ...]:
    """Return notes on places of a file whose meaning is easily missed. A note lists all places of the same kind.

    sizes : number of agents of each crew in the scenario
    """
    notes = list(_Meaning(workflow, sizes).group(workflow.steps, _Around(workflow.parameters, model=workflow.model)))
    notes += [
        Note("crew-key-without-effect", {"step": crew, "key": key}) for crew, key in crew_keys_without_effect(workflow)
    ]
    joined: dict[str, list[Mapping[str, Any]]] = {}
    for note in notes:
        joined.setdefault(note.code, []).append(note.values)
    return tuple(Note(code, {"places": tuple(places)}) for code, places in joined.items())


class _Meaning:
    """Walks through the steps of a workflow and yields notes on single steps."""

    def __init__(self, workflow: Workflow, sizes: Mapping[str, int]) -> None:
        self.workflow, self.sizes, self.limit = workflow, sizes, Runtime.of(workflow).limit
        self.coordinating = effective_coordination(workflow)

    def group(self, steps: Mapping[str, Step], around: _Around) -> Iterator[Note]:
        for name, step in sorted_by_name(steps).items():
            yield from self.step(step, replace(around, name=f"{around.name}.{name}" if around.name else name))

    def step(self, step: Step, around: _Around) -> Iterator[Note]:
        inside = replace(around, crew=step.crew or around.crew, model=step.model or around.model)
        yield from crew_without_agents(step, around.name, around.crew, around.held, self.coordinating)
        for key in group_keys_without_effect(step):
            yield Note(f"{key}-without-effect", {"step": around.name})
        agents = self.agents(inside.crew)
        if step.for_each is not None:
            holds = step.is_held(around.crew)
            count = step.for_each.count
            items = (
                most_drawn(step.for_each, inside.values, agents)
                if isinstance(count, Estimate)
                else count_at(count, inside.values, agents)
            )
            if holds and inside.crew == LEAD and items > 1:
                yield Note("items-in-turn", {"step": around.name, "count": items})
            inside = replace(
                inside, held=holds, sized=around.sized or has_sizes(step), count=around.count * self.at_a_time(items),
                items=around.items * self.at_a_time(items),
            )  # fmt: skip
        copies = step.best_of or step.first_of
        if copies is not None:
            number = count_at(copies, inside.values, agents)
            if agents is not None and agents < number and _seizes(step, inside.held):
                code = "copies-on-one-agent" if step.kind == "llm" else "copies-in-turn"
                yield Note(code, {"step": around.name, "copies": number, "agents": agents})
            elif step.best_of is not None and self.at_a_time(number) < number:
                yield Note("copies-over-limit", {"step": around.name, "copies": number, "max_concurrency": self.limit})
            number = self.at_a_time(number) if step.first_of is None else number  # a race is a single node
            inside = replace(inside, count=inside.count * number)
        yield from self.body(step, inside)

    def paid(self, crew: str | None) -> bool:
        """Return whether the agents of a crew are paid."""
        return crew in self.workflow.crews and self.workflow.crews[crew].usd is not None

    def body(self, step: Step, around: _Around) -> Iterator[Note]:
        if step.within:
            if step.used is not None:
                around = replace(around, values=step.used.parameters, model=step.used.model or around.model)
            yield from self.group(step.within, around)
            return
        if around.count > 1 and step.human is not None and step.crew is None:
            yield Note("many-people", {"step": around.name, "count": around.count})
        if step.human is not None and step.human.usd is None and not self.paid(step.crew):
            yield Note("unpaid-people", {"step": around.name, "crew": step.crew or ""})
        requests = step.llm or step.agent
        if self.is_unbounded(step, around):
            yield Note("unbounded-fan-out", {"step": around.name, "count": around.count})
        if around.items > 1 and not around.held and around.crew == LEAD and (requests or step.crew):
            yield Note("items-in-turn", {"step": around.name, "count": around.items})
        if step.hold is not None and not around.held:
            yield Note("hold-without-effect", {"step": around.name})
        if reads_cached(step) and not self.caches(around.model):
            yield Note("cached-without-effect", {"step": around.name, "model": around.model})
        elif caches_more_than_input(step):
            yield Note("cached-over-input", {"step": around.name})
        for key in () if around.sized else keys_between_turns(step):
            yield Note(f"{key}-without-effect", {"step": around.name})
        if step.tool is not None and step.tool.sized and not around.sized:
            yield Note("sized-without-effect", {"step": around.name})
        if around.sized and requests is not None:
            plain = [key for key in _scaled(step) if _is_plain(requests, key)]
            if plain:
                yield Note("size-of-plain-numbers", {"step": around.name, "keys": tuple(plain)})

    def is_unbounded(self, step: Step, around: _Around) -> bool:
        """Whether a step deserves the note that no crew limits its simultaneous executions.

        A request deserves the note only if the workflow has crews, because the number of simultaneous requests is
        otherwise reported as the number of agents. A tool deserves it only if more than `FEW` run simultaneously.
        """
        if step.tool is not None:
            return step.crew is None and not around.held and around.count > FEW
        return step.human is None and around.crew is None and around.count > 1 and bool(self.workflow.crews)

    def caches(self, model: str | None) -> bool:
        """Whether the requests of a profile read from a cache."""
        return model is not None and resolve(model, self.workflow.models).caches

    def agents(self, crew: str | None) -> int | None:
        return 1 if crew == LEAD else self.sizes.get(crew or DEFAULT_CREW)

    def at_a_time(self, count: int) -> int:
        """Return how many of `count` items or copies run at the same time, if no crew limits them."""
        return count if self.limit is None else min(count, self.limit)


def _seizes(step: Step, held: bool) -> bool:
    """Whether a step, or a step inside it, takes an agent of its crew.

    held : whether the step is inside a fan-out in which one agent does all steps of an item
    """
    if step.within:
        return any(_seizes(inner, held) for inner in step.within.values())
    kept = held and step.kind == "tool" and step.hold is not False
    return kept or step.kind in ("llm", "agent") or step.crew is not None


def _scaled(step: Step) -> Iterable[str]:
    """Return the keys of a step whose values are multiplied by the size of an item."""
    return ("turns",) if step.agent is not None else ("input", "cached", "thinking", "output")


def _is_plain(declared: Declared, key: str) -> bool:
    """Whether a quantity is declared as a number other than 0."""
    estimate = getattr(declared, key)
    return (
        key in declared.model_fields_set
        and isinstance(estimate, Estimate)
        and (_is_computed_number(estimate) if estimate.varies else bool(estimate.scale))
    )


def _is_computed_number(estimate: Estimate) -> bool:
    """Whether an estimate is arithmetic with a single number as its result."""
    return isinstance(estimate, Arithmetic) and len(estimate.formulas) == 1
