"""A workflow and crew sizes in, a `TaskGraph` out: loops unrolled, fan-outs laid out, coordination inserted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from planner.engine.simulation import build_graph
from planner.expansion.build.fan_out import fan_out
from planner.expansion.build.groups import copied, grouped
from planner.expansion.build.item import item_tasks
from planner.expansion.build.pools import Crews
from planner.expansion.build.scope import Scope
from planner.expansion.build.size_limits import check_size
from planner.expansion.graph.conditions import (
    Attempt,
    ChanceHolds,
    Outcome,
    Round,
    StepFailed,
)
from planner.expansion.graph.fragments import (
    NO_POOL,
    Fragment,
    number_pools,
    repeated,
    side_by_side,
)
from planner.expansion.graph.loops import Loop, Loops
from planner.expansion.graph.order import (
    Steps,
    between,
    in_order,
    needs,
    sorted_by_name,
)
from planner.expansion.graph.outline import Group
from planner.expansion.graph.segments import ItemSegment
from planner.expansion.graph.task_graph import LIMIT, TaskGraph
from planner.expansion.graph.work import Conversation, Work
from planner.expansion.supersteps.runtime import Runtime
from planner.workflow.bodies import Wait
from planner.workflow.declaration import Step, Workflow


def expand(workflow: Workflow, sizes: Mapping[str, int], runtime: Runtime | None = None) -> TaskGraph:
    """The task graph of a workflow whose crews have these sizes. Raises InputError where it is too large.

    runtime : None: as the workflow declares it
    """
    check_size(workflow, sizes)
    crews = Crews.of(workflow, sizes, runtime)
    expansion = _Expansion(crews)
    place = Scope(("steps",), NO_POOL, workflow.model, workflow.written_for, workflow.parameters, locate=workflow.place)
    fragment = expansion.group(place, workflow.steps)
    capacity = np.array([*(sizes.get(pool, 1) for pool in crews.pools), *[crews.runtime.limit or 1] * fragment.own])
    graph = build_graph(
        len(fragment),
        fragment.edges,
        acquire=number_pools(fragment.acquire, len(crews.pools)),
        release=number_pools(fragment.release, len(crews.pools)),
        capacity=capacity,
        crew=capacity > 1,
        races=dict(enumerate(map(tuple, fragment.races.tolist()))),
        exits={task: (race, first) for task, race, first in fragment.exits.tolist()},
        leaves=_leaves(fragment),
    )
    works = tuple(mark for mark in fragment.task_maps if isinstance(mark.subject, Work))
    skips = tuple(mark for mark in fragment.task_maps if not isinstance(mark.subject, Work))
    pools = (*crews.pools, *[LIMIT] * fragment.own)
    outcomes = expansion.left_over("", workflow.steps)
    return TaskGraph(graph, works, skips, outcomes, pools, sizes, fragment.outline)


def _leaves(fragment: Fragment) -> dict[int, int]:
    """The steps of people who may leave, and the ends of their steps before: at the start of all if there is none."""
    may = {
        int(task)
        for mark in fragment.task_maps
        if isinstance(mark.subject, Work) and isinstance(mark.subject.body, Wait) and mark.subject.body.leaves
        for task in mark.tasks.flat
    }
    since = dict(fragment.people.since.tolist()) | dict.fromkeys(fragment.people.first.tolist(), 0)
    return {task: before for task, before in since.items() if task in may}


class _Expansion:
    """Outcomes of the steps that are expanded so far, by name."""

    def __init__(self, crews: Crews) -> None:
        self.crews = crews
        self.outcomes: dict[str, Outcome] = {}

    # Steps outside of any item: each takes an agent for itself.

    def group(self, around: Scope, steps: Steps) -> Fragment:
        steps = sorted_by_name(steps)
        children = {name: self.step(self.enter(around, name, steps), steps[name]) for name in in_order(steps)}
        return grouped(children, needs(steps), self.crews.runtime, around.name)

    def enter(self, around: Scope, name: str, steps: Steps) -> Scope:
        """Where a step of a group stands."""
        crew = steps[name].crew
        here = around.step(name, steps, self.crews.pool(crew) if crew else None)
        failing = next((other for other in steps if steps[other].otherwise == name), None)
        if failing is None:
            return here
        return here.only(StepFailed(here.loops, here.guard, self.outcomes[here.beside(failing)]))

    def step(self, here: Scope, step: Step) -> Fragment:
        """A step with its modifiers, once its chance is taken."""
        if step.for_each is not None:
            return self.items(here, step)
        if step.repeat is None:
            return self.copies(here, step)
        inside = self.rounds(here, step)
        return repeated(self.copies(inside, step), inside.loops[-1].count)

    def copies(self, here: Scope, step: Step) -> Fragment:
        inside = self.copied(here, step)
        fragment = self.body(inside, step)
        return (
            fragment
            if inside is here
            else copied(fragment, inside.loops[-1].count, step.first_of is not None, self.crews.runtime)
        )

    def body(self, here: Scope, step: Step) -> Fragment:
        group = _group(here, step)
        if group is not None:
            inside, steps = group
            fragment = self.group(inside, steps)
            self.finish(here, step, steps)
            return fragment
        if step.choose is not None:
            branches = {name: self.step(place, branch) for name, branch, place in self.branches(here, step)}
            self.finish(here, step, step.choose)
            fragment = side_by_side(branches, dict.fromkeys(branches, ()))
            assert isinstance(fragment.outline, Group)
            return replace(fragment, outline=replace(fragment.outline, choice=True))
        pool = self.crews.takes(step, max(here.pool, 0))
        return item_tasks(self.attempts(replace(here, pool=pool), step), here.loops, here.guard)

    # A step's own loops and conditions, wherever it stands.

    def rounds(self, here: Scope, step: Step) -> Scope:
        """Where a round stands."""
        assert step.repeat is not None
        inside = replace(here.within(Loop(self.crews.count(step.repeat.most, here))), repeats=here.name)
        if step.repeat.until is None:
            return inside
        guard = Round(inside.loops, here.guard, here.name, step.repeat.until)
        return replace(inside.only(guard), round=guard)

    def copied(self, here: Scope, step: Step) -> Scope:
        """Where a copy stands."""
        count = step.best_of or step.first_of
        if count is None:
            return here
        first = step.first_of is not None
        inside = here.within(Loop(self.crews.count(count, here), "copies", first=first))
        return replace(inside, apart=here.apart or first)

    def branches(self, here: Scope, step: Step) -> list[tuple[str, Step, Scope]]:
        """The branches of a choice: one draw, a stretch of it for each, in the order of their names."""
        found, low = [], 0.0
        steps = sorted_by_name(step.choose or {})
        for name, branch in steps.items():
            high = low + (branch.chance or 0.0)
            certain = {**steps, name: branch.model_copy(update={"chance": None})}
            guard = ChanceHolds(here.loops, here.guard, f"{here.name}/choice", low, high)
            found.append((name, branch, self.enter(here.inside("choose"), name, certain).only(guard)))
            low = high
        return found

    def finish(self, here: Scope, step: Step, steps: Steps, attempt: Attempt | None = None) -> None:
        """Note how a step comes out whose body stands `here`. `steps`: those of its body."""
        inner = self.left_over(f"{here.name}.", steps)
        success = 1.0 if step.success is None else step.success
        outcome = Outcome(
            here.name, here.loops[: here.depth], here.loops[here.depth :], step.first_of is not None, here.guard,
            here.round, attempt, success, inner,
        )  # fmt: skip
        self.outcomes[here.name] = outcome
        if here.round is not None and (success < 1 or inner or attempt):
            here.round.body.append(outcome)

    def left_over(self, prefix: str, steps: Steps) -> tuple[Outcome, ...]:
        """Outcomes of steps that may fail, and whose failure nothing deals with."""
        found = [self.outcomes[prefix + name] for name, step in steps.items() if step.otherwise is None]
        return tuple(outcome for outcome in found if outcome.possible)

    def attempts(self, here: Scope, step: Step) -> list[ItemSegment]:
        """A request, an agent loop, a tool or a person: the attempts at it, which keep the agent of `here.pool`."""
        inside, attempt, count = here, None, 1
        rounds: Loops = ()
        if step.retry is not None:
            count = self.crews.count(step.retry.at_most, here)
            loop = Loop(count)
            attempt = Attempt((*here.loops, loop), here.guard, here.name, step.retry.chance, step.retry.timeout)
            inside, rounds = here.within(loop).only(attempt), (loop,)
        work = self.work(inside, step)
        leaves = step.human is not None and step.human.leaves is not None
        self.finish(here, step, {}, attempt)
        return [
            ItemSegment(
                here.pool,
                work,
                inside.guard,
                rounds,
                (number,) if rounds else (),
                alone=here.apart or leaves,
                leaves=leaves,
            )
            for number in range(count)
        ]

    def work(self, here: Scope, step: Step) -> Work:
        body = step.llm or step.agent or step.tool or step.human
        assert body is not None
        asks = step.kind in ("llm", "agent")
        agents = self.crews.agents(here.pool)
        continued = any(
            other.llm is not None and other.llm.continues == here.path[-1] for other in here.siblings.values()
        )
        return Work(
            here.name, step.kind, here.bound(body, agents), here.model if asks else None, here.loops, here.guard,
            here.briefing if asks else None, step.retry and here.bound(step.retry, agents), _conversation(here, step),
            continued, self.crews.ratio(here) if asks else 1.0,
        )  # fmt: skip

    # Items: steps one after another, by one agent where they let it.

    def items(self, here: Scope, step: Step) -> Fragment:
        pool = self.crews.takes(step, max(here.pool, 0))
        return fan_out(self.crews, replace(here, pool=pool), step, lambda item: self.pieces(item, step))

    def pieces(self, here: Scope, step: Step) -> list[ItemSegment]:
        """The pieces of an item, or of a step within one, whose agent is of `here.pool`."""
        if step.repeat is None:
            return self.round(here, step)
        inside = self.rounds(here, step)
        pieces = self.round(inside, step)
        loop = inside.loops[-1]
        return [
            replace(piece, rounds=(loop, *piece.rounds), inner=(number, *piece.inner))
            for number in range(loop.count)
            for piece in pieces
        ]

    def round(self, here: Scope, step: Step) -> list[ItemSegment]:
        """One round of a step within an item, with its copies side by side."""
        inside = self.copied(here, step)
        if inside is here:
            return self.run(here, step)
        pool = self.holds(step, here.pool)
        by_one = step.kind == "llm"  # an agent makes several requests at once
        pieces = self.run(replace(inside, pool=NO_POOL if by_one else here.pool), step)
        fragment = item_tasks(pieces, inside.loops, inside.guard)
        fragment = copied(fragment, inside.loops[-1].count, step.first_of is not None, self.crews.runtime)
        return [ItemSegment(pool if by_one else NO_POOL, fragment, here.guard)]

    def run(self, here: Scope, step: Step) -> list[ItemSegment]:
        """The body of a step within an item."""
        group = _group(here, step)
        if group is not None:
            inside, steps = group
            pieces = [
                piece for name in in_order(steps) for piece in self.inner(self.enter(inside, name, steps), steps[name])
            ]
            self.finish(here, step, steps)
            return pieces
        if step.choose is not None:
            pieces = [piece for _, branch, place in self.branches(here, step) for piece in self.inner(place, branch)]
            self.finish(here, step, step.choose)
            return pieces
        return self.attempts(replace(here, pool=self.holds(step, here.pool)), step)

    def inner(self, here: Scope, step: Step) -> list[ItemSegment]:
        """A step within an item."""
        if step.for_each is None:
            return self.pieces(here, step)
        return [ItemSegment(NO_POOL, self.items(replace(here, briefing=None), step), here.guard)]

    def holds(self, step: Step, pool: int) -> int:
        """The pool whose agent a step of an item needs: none for people and for tools that let it go."""
        if step.kind == "human":
            return self.crews.pool(step.crew) if step.crew else NO_POOL
        return pool if step.hold else NO_POOL


def _group(here: Scope, step: Step) -> tuple[Scope, Steps] | None:
    """The steps of a group or of another file, and where they stand."""
    if step.steps is not None:
        return here.inside("steps"), step.steps
    if step.used is None:
        return None
    inside = here.inside("use")
    own = step.used.model
    inside = replace(inside, model=own or here.model, written_for=own or here.written_for, values=step.used.parameters)
    return inside, step.used.steps


def _conversation(here: Scope, step: Step) -> Conversation | None:
    """What a request continues, and what lies between."""
    name, own = step.llm.continues if step.llm is not None else None, here.path[-1]
    if name is None:
        return None
    if name == own:
        return Conversation(here.name, True, ((here.repeats, ()),))
    inner = between(here.siblings, name, own)
    wanted = needs(here.siblings)
    found = ((here.beside(one), tuple(here.beside(need) for need in wanted[one] if need in inner)) for one in inner)
    return Conversation(here.beside(name), False, tuple(found))
