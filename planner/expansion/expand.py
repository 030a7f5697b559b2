"""A workflow and crew sizes in; a `TaskGraph` out: loops unrolled, fan-outs laid out, coordination inserted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from planner.engine.simulation import build_graph
from planner.expansion.build.fan_out import fan_out, free_fan_out
from planner.expansion.build.item import item_tasks
from planner.expansion.build.pools import Crews, number_pools
from planner.expansion.build.scope import Scope
from planner.expansion.build.size_limits import check_agents, check_size
from planner.expansion.build.step import StepBuilder, inner_steps
from planner.expansion.graph.fragments import (
    NO_POOL,
    Fragment,
    in_group,
    repeated,
)
from planner.expansion.graph.order import (
    Steps,
    in_order,
    needs,
)
from planner.expansion.graph.outline import Group
from planner.expansion.graph.segments import ItemSegment
from planner.expansion.graph.task_graph import TaskGraph, shared_pools
from planner.expansion.graph.work import Work
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
        crew=shared_pools(pools, capacity),
        races=dict(enumerate(map(tuple, fragment.races.tolist()))),
        exits={task: (race, first) for task, race, first in fragment.exits.tolist()},
        leaves=_wait_starts(fragment),
    )
    works = tuple(task_map for task_map in fragment.task_maps if isinstance(task_map.subject, Work))
    skips = tuple(task_map for task_map in fragment.task_maps if not isinstance(task_map.subject, Work))
    outcomes = expansion.unhandled("", workflow.steps)
    paid_crews = {name: crew for name, crew in workflow.crews.items() if crew.usd is not None}
    return TaskGraph(graph, works, skips, outcomes, pools, sizes, fragment.outline, paid_crews)


def _wait_starts(fragment: Fragment) -> dict[int, int]:
    """Return when people begin to wait: ``{task: earlier task}`` for each task of a person with YAML `leaves`.

    The person's wait for the task begins when the earlier task ends. The earlier task is the previous task of a person.
    If no person has a task before, it is task 0.
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


class _Expansion(StepBuilder):
    """Expands the steps of a workflow into tasks."""

    # Steps outside of held items. Each seizes its own agent.

    def group(self, scope: Scope, steps: Steps) -> Fragment:
        steps = self.crews.runtime.ordered(steps)
        children = {name: self.step(self.enter(scope, name, steps), steps[name]) for name in in_order(steps)}
        return grouped(children, needs(steps), self.crews.runtime, scope.name)

    def step(self, scope: Scope, step: Step) -> Fragment:
        """Return the tasks of a step, including all its items, rounds and copies."""
        return self.rounds(scope, step) if step.for_each is None else self.items(scope, step)

    def rounds(self, scope: Scope, step: Step) -> Fragment:
        """Return the tasks of all rounds of a step. If the step is a fan-out, return only the tasks of one item."""
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
        inner = inner_steps(scope, step)
        if inner is not None:
            inside, steps = inner
            fragment = self.group(inside, steps)
            self.finish(scope, step, steps)
            return fragment
        if step.choose is not None:
            branches = {name: self.step(inside, branch) for name, branch, inside in self.branches(scope, step)}
            self.finish(scope, step, step.choose)
            fragment = in_group(branches, dict.fromkeys(branches, ()))
            assert isinstance(fragment.outline, Group)
            return replace(fragment, outline=replace(fragment.outline, choice=True))
        pool = NO_POOL if scope.held else self.crews.seized_by(step, scope.pool)
        return item_tasks(self.attempts(scope, step, pool), scope.loops, scope.guard)

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
        inner = inner_steps(scope, step)
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
