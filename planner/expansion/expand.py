"""A workflow and crew sizes in; a `TaskGraph` out: loops unrolled, fan-outs laid out, coordination inserted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from planner.engine.simulation import build_graph
from planner.expansion.build.fan_out import fan_out, free_fan_out
from planner.expansion.build.item import item_tasks
from planner.expansion.build.pools import Crews, number_pools
from planner.expansion.build.scope import Scope
from planner.expansion.build.size_limits import check_agents, check_size
from planner.expansion.graph.conditions import (
    Attempt,
    ChanceHolds,
    Loop,
    Loops,
    Outcome,
    Round,
    StepFailed,
)
from planner.expansion.graph.fragments import (
    NO_POOL,
    Fragment,
    repeated,
    side_by_side,
)
from planner.expansion.graph.order import (
    Steps,
    between,
    in_order,
    needs,
    sorted_by_name,
    waits_for,
)
from planner.expansion.graph.outline import Group
from planner.expansion.graph.segments import ItemSegment
from planner.expansion.graph.task_graph import TaskGraph, are_crews
from planner.expansion.graph.work import Conversation, Work
from planner.expansion.supersteps.runtime import Runtime, copied, grouped
from planner.workflow.bodies import Wait
from planner.workflow.declaration import Step, Workflow


def expand(workflow: Workflow, sizes: Mapping[str, int], runtime: Runtime | None = None) -> TaskGraph:
    """Return the task graph of a workflow for these crew sizes.

    Raises `InputError` if the graph is too large.

    sizes : number of agents of each crew
    runtime : runtime that the graph is built for; None: the runtime that the workflow declares
    """
    check_agents(workflow, sizes)
    check_size(workflow, sizes)
    crews = Crews.of(workflow, sizes, runtime)
    expansion = _Expansion(crews)
    scope = Scope(
        ("steps",), crews.unnamed, workflow.model, workflow.written_for, workflow.parameters, locate=workflow.place
    )
    fragment = expansion.group(scope, workflow.steps)
    pools = (*crews.pools, *(name for name, _ in fragment.own_pools))
    capacity = [*(sizes.get(pool, 1) for pool in crews.pools), *(slots for _, slots in fragment.own_pools)]
    graph = build_graph(
        len(fragment),
        fragment.edges,
        acquire=number_pools(fragment.acquire, len(crews.pools)),
        release=number_pools(fragment.release, len(crews.pools)),
        capacity=capacity,
        crew=are_crews(pools, capacity),
        races=dict(enumerate(map(tuple, fragment.races.tolist()))),
        exits={task: (race, first) for task, race, first in fragment.exits.tolist()},
        leaves=_context_switches(fragment),
    )
    works = tuple(task_map for task_map in fragment.task_maps if isinstance(task_map.subject, Work))
    skips = tuple(task_map for task_map in fragment.task_maps if not isinstance(task_map.subject, Work))
    outcomes = expansion.unhandled("", workflow.steps)
    paid_crews = {name: crew for name, crew in workflow.crews.items() if crew.usd is not None}
    return TaskGraph(graph, works, skips, outcomes, pools, sizes, fragment.outline, paid_crews)


def _context_switches(fragment: Fragment) -> dict[int, int]:
    """Return ``{task: earlier task}`` for each task with `leaves`.

    The person who does such a task starts to wait when the earlier task ends. The earlier task is the last one that a
    person did before. If there is none, it is task 0, at the start of the run.
    """
    switching = {
        int(task)
        for task_map in fragment.task_maps
        if isinstance(task_map.subject, Work)
        and isinstance(task_map.subject.body, Wait)
        and task_map.subject.body.leaves
        for task in task_map.tasks.flat
    }
    previous = dict(fragment.people.previous.tolist()) | dict.fromkeys(fragment.people.first.tolist(), 0)
    return {task: before for task, before in previous.items() if task in switching}


class _Expansion:
    """Expands the steps of a workflow into tasks.

    outcomes : outcome of each expanded step, by the full name of the step
    """

    def __init__(self, crews: Crews) -> None:
        self.crews = crews
        self.outcomes: dict[str, Outcome] = {}

    # Steps outside of held items. Each seizes its own agent.

    def group(self, scope: Scope, steps: Steps) -> Fragment:
        steps = self.crews.runtime.ordered(steps)
        children = {name: self.step(self.enter(scope, name, steps), steps[name]) for name in in_order(steps)}
        return grouped(children, needs(steps), self.crews.runtime, scope.name)

    def enter(self, group: Scope, name: str, steps: Steps, in_turn: bool = False) -> Scope:
        """Return the `Scope` of the step `name` of a group.

        If the step is the fallback (`otherwise`) of another step, it is done only in samples in which the other step
        fails.

        group : scope of the group
        steps : steps of the group
        in_turn : whether the steps of the group run one after another
        """
        crew = steps[name].crew
        scope = group.step(name, steps, self.crews.pool(crew) if crew else None, in_turn)
        failing = next((other for other in steps if steps[other].otherwise == name), None)
        if failing is None:
            return scope
        return scope.under(StepFailed(scope.loops, scope.guard, self.outcomes[scope.sibling(failing)]))

    def step(self, scope: Scope, step: Step) -> Fragment:
        """Return the tasks of a step, including all its items, rounds and copies."""
        return self.rounds(scope, step) if step.for_each is None else self.items(scope, step)

    def rounds(self, scope: Scope, step: Step) -> Fragment:
        """Return the tasks of all rounds of a step, or of one of its items."""
        if step.repeat is None:
            return self.copies(scope, step)
        inside = self.in_rounds(scope, step)
        return repeated(self.copies(inside, step), inside.loops[-1].count)

    def copies(self, scope: Scope, step: Step) -> Fragment:
        inside = self.in_copies(scope, step)
        if inside is scope:
            return self.body(scope, step)
        one_agent = step.kind == "llm" and scope.pool != NO_POOL  # makes the requests of all copies concurrently
        fragment = self.body(replace(inside, held=one_agent), step)
        copies = copied(fragment, inside.loops[-1].count, step.first_of is not None, self.crews.runtime)
        return (
            item_tasks([ItemSegment(scope.pool, copies, scope.guard)], scope.loops, scope.guard)
            if one_agent
            else copies
        )

    def body(self, scope: Scope, step: Step) -> Fragment:
        inner = _inner_steps(scope, step)
        if inner is not None:
            inside, steps = inner
            fragment = self.group(inside, steps)
            self.finish(scope, step, steps)
            return fragment
        if step.choose is not None:
            branches = {name: self.step(inside, branch) for name, branch, inside in self.branches(scope, step)}
            self.finish(scope, step, step.choose)
            fragment = side_by_side(branches, dict.fromkeys(branches, ()))
            assert isinstance(fragment.outline, Group)
            return replace(fragment, outline=replace(fragment.outline, choice=True))
        pool = NO_POOL if scope.held else self.crews.seized_by(step, scope.pool)
        return item_tasks(self.attempts(scope, step, pool), scope.loops, scope.guard)

    # The loops and conditions that a step declares itself. The step may be outside or inside of items.

    def in_rounds(self, scope: Scope, step: Step) -> Scope:
        """Return the `Scope` of a step inside the loop of its rounds (`repeat`)."""
        assert step.repeat is not None
        inside = replace(scope.in_loop(Loop(self.crews.count(step.repeat.most, scope))), repeats=scope.name)
        if step.repeat.until is None:
            return inside
        guard = Round(inside.loops, scope.guard, scope.name, step.repeat.until)
        return replace(inside.under(guard), round=guard)

    def in_copies(self, scope: Scope, step: Step) -> Scope:
        """Return the `Scope` of a step inside the loop of its copies. If the step has no copies, return `scope`."""
        count = step.best_of or step.first_of
        if count is None:
            return scope
        race = step.first_of is not None
        together = not any(loop.as_rows for loop in scope.loops)
        inside = scope.in_loop(Loop(self.crews.count(count, scope), "copies", race=race, together=together))
        return replace(inside, own_tasks=scope.own_tasks or race)

    def branches(self, scope: Scope, step: Step) -> list[tuple[str, Step, Scope]]:
        """Return the name, the step and the scope of each branch of a choice.

        Each branch has an interval of numbers between 0 and 1. In a sample, a number is drawn for the choice. The
        branch whose interval contains this number is done. The intervals are in the order of the names, so the order
        of the file decides no choice.
        """
        declared = step.choose or {}
        intervals, low = {}, 0.0
        for name, branch in sorted_by_name(declared).items():
            intervals[name] = low, low + (branch.chance or 0.0)
            low = intervals[name][1]
        branches = []
        steps = self.crews.runtime.ordered(declared)
        for name, branch in steps.items():
            without_chance = {**steps, name: branch.model_copy(update={"chance": None})}
            guard = ChanceHolds(scope.loops, scope.guard, f"{scope.name}/choice", *intervals[name])
            inside = self.enter(scope.inside("choose"), name, without_chance).under(guard)
            branches.append((name, branch, inside))
        return branches

    def finish(self, scope: Scope, step: Step, steps: Steps, attempt: Attempt | None = None) -> None:
        """Record the outcome of a step. Call this method after the body of the step is expanded.

        scope : scope inside the loops of the step
        steps : steps inside the step; empty if there are none
        attempt : condition of the step's attempts; None: the step has no `retry`
        """
        inner = self.unhandled(f"{scope.name}.", steps)
        outcome = Outcome(
            path=scope.name,
            around=scope.loops[: scope.depth],
            own=scope.loops[scope.depth :],
            race=step.first_of is not None,
            guard=scope.guard,
            round=scope.round,
            attempt=attempt,
            success=1.0 if step.success is None else step.success,
            inner=inner,
        )
        self.outcomes[scope.name] = outcome
        if scope.round is not None and (outcome.success < 1 or inner or attempt):
            scope.round.body.append(outcome)

    def unhandled(self, prefix: str, steps: Steps) -> tuple[Outcome, ...]:
        """Return the outcomes of those steps that may fail and have no fallback.

        prefix : start of the full name of each step, for example ``group.``
        """
        outcomes = [self.outcomes[prefix + name] for name, step in steps.items() if step.otherwise is None]
        return tuple(outcome for outcome in outcomes if outcome.possible)

    def attempts(self, scope: Scope, step: Step, pool: int) -> list[ItemSegment]:
        """Return one `ItemSegment` for each attempt at a step. The step contains no other steps.

        pool : pool of the agent that each segment needs, or `NO_POOL`
        """
        inside, attempt, count = scope, None, 1
        rounds: Loops = ()
        if step.retry is not None:
            count = self.crews.count(step.retry.at_most, scope)
            loop = Loop(count)
            attempt = Attempt((*scope.loops, loop), scope.guard, scope.name, step.retry.chance, step.retry.timeout)
            inside, rounds = scope.in_loop(loop).under(attempt), (loop,)
        work = self.work(inside, step)
        context_switch = step.human is not None and step.human.leaves is not None
        self.finish(scope, step, {}, attempt)
        return [
            ItemSegment(
                pool,
                work,
                inside.guard,
                rounds,
                (number,) if rounds else (),
                own_task=scope.own_tasks or context_switch,
                context_switch=context_switch,
            )
            for number in range(count)
        ]

    def work(self, scope: Scope, step: Step) -> Work:
        body = step.llm or step.agent or step.tool or step.human
        assert body is not None
        requests = step.kind in ("llm", "agent")
        agents = self.crews.agents(scope.pool)
        siblings = scope.siblings.values()
        return Work(
            step=scope.name,
            kind=step.kind,
            body=scope.bind(body, agents),
            model=scope.model if requests else None,
            loops=scope.loops,
            guard=scope.guard,
            reads=scope.briefing if requests else None,
            retry=step.retry and scope.bind(step.retry, agents),
            conversation=_conversation(scope, step),
            continued=any(other.llm is not None and other.llm.continues == scope.names[-1] for other in siblings),
            ratio=self.crews.ratio(scope) if requests else 1.0,
        )

    # Held items. The steps of an item run one after another and keep the same agent where possible.

    def items(self, scope: Scope, step: Step) -> Fragment:
        pool = self.crews.seized_by(step, scope.pool)
        if not self.crews.holds(pool):
            return free_fan_out(self.crews, scope, step, lambda item: self.rounds(item, step))
        return fan_out(self.crews, scope, step, pool, lambda item: self.item_rounds(item, step))

    def item_rounds(self, scope: Scope, step: Step) -> list[ItemSegment]:
        """Return the `ItemSegment`s of a step inside an item, for all rounds of the step.

        `scope.pool` is the pool of the item's agent.
        """
        if step.repeat is None:
            return self.item_round(scope, step)
        inside = self.in_rounds(scope, step)
        segments = self.item_round(inside, step)
        loop = inside.loops[-1]
        return [
            replace(segment, rounds=(loop, *segment.rounds), inner=(number, *segment.inner))
            for number in range(loop.count)
            for segment in segments
        ]

    def item_round(self, scope: Scope, step: Step) -> list[ItemSegment]:
        """Return the `ItemSegment`s of a step inside an item, for one round of the step.

        If the step has copies, a single segment contains all copies side by side.
        """
        inside = self.in_copies(scope, step)
        if inside is scope:
            return self.item_body(scope, step)
        pool = self.held_pool(step, scope)
        one_agent = step.kind == "llm"  # one agent makes the requests of all copies concurrently
        segments = self.item_body(replace(inside, held=one_agent), step)
        fragment = item_tasks(segments, inside.loops, inside.guard)
        fragment = copied(fragment, inside.loops[-1].count, step.first_of is not None, self.crews.runtime)
        return [ItemSegment(pool if one_agent else NO_POOL, fragment, scope.guard)]

    def item_body(self, scope: Scope, step: Step) -> list[ItemSegment]:
        """Return the `ItemSegment`s of a step inside an item, for one round and one copy of the step."""
        inner = _inner_steps(scope, step)
        if inner is not None:
            inside, steps = inner
            segments = [
                segment
                for name in in_order(steps)
                for segment in self.item_step(self.enter(inside, name, steps, in_turn=True), steps[name])
            ]
            self.finish(scope, step, steps)
            return segments
        if step.choose is not None:
            branches = self.branches(scope, step)
            segments = [segment for _, branch, inside in branches for segment in self.item_step(inside, branch)]
            self.finish(scope, step, step.choose)
            return segments
        return self.attempts(scope, step, self.held_pool(step, scope))

    def item_step(self, scope: Scope, step: Step) -> list[ItemSegment]:
        """Return the `ItemSegment`s of a step inside an item. If the step is a fan-out, return a single segment."""
        if step.for_each is None:
            return self.item_rounds(scope, step)
        return [ItemSegment(NO_POOL, self.items(replace(scope, briefing=None), step), scope.guard)]

    def held_pool(self, step: Step, scope: Scope) -> int:
        """Return the pool of the agent that a step inside an item needs, or `NO_POOL` if the step needs no agent.

        A step with `hold: false` needs no agent. A person's step needs an agent only if the step names a crew.
        """
        if scope.held or step.hold is False or (step.kind == "human" and step.crew is None):
            return NO_POOL
        return scope.pool


def _inner_steps(scope: Scope, step: Step) -> tuple[Scope, Steps] | None:
    """Return the steps inside a step, with their scope. Return None if the step has neither `steps` nor `use`."""
    if step.steps is not None:
        return scope.inside("steps"), step.steps
    if step.used is None:
        return None
    inside = scope.inside("use")
    model, values = step.used.model, step.used.parameters
    inside = replace(inside, model=model or scope.model, written_for=model or scope.written_for, values=values)
    return inside, step.used.steps


def _unneeded_in_round(scope: Scope) -> Iterator[str]:
    """Yield the full names of the steps in a round that a step of the round does not wait for.

    Steps that only run before it because a held item runs its steps one after another are left out.
    """
    for depth in reversed(range(len(scope.names))):
        around, name = scope.names[:depth], scope.names[depth]
        if ".".join((*around, name)) == scope.repeats:
            return
        if not scope.in_turn[depth]:
            needed = waits_for(scope.groups[depth], name)
            yield from (".".join((*around, other)) for other in scope.groups[depth] if other not in {*needed, name})


def _conversation(scope: Scope, step: Step) -> Conversation | None:
    """Return the conversation that a step continues (`continues`), or None if the step continues no conversation."""
    continues, name = step.llm.continues if step.llm is not None else None, scope.names[-1]
    if continues is None:
        return None
    if continues == name:
        return Conversation(scope.name, True, ((scope.repeats, ()),), tuple(_unneeded_in_round(scope)))
    steps = between(scope.siblings, continues, name)
    needed = needs(scope.siblings)
    inner = (
        (scope.sibling(other), tuple(scope.sibling(need) for need in needed[other] if need in steps)) for other in steps
    )
    return Conversation(scope.sibling(continues), False, tuple(inner))
