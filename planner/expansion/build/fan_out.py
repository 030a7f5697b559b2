"""Fan-outs: items side by side, and the coordination of the crew that does them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from planner.expansion.build.item import RampedUp, item_tasks
from planner.expansion.build.pools import Crews, SharedItems, share_items
from planner.expansion.build.scope import Scope
from planner.expansion.build.size_limits import MOST_CONFLICTS, most_items
from planner.expansion.graph.conditions import (
    BusyAgents,
    ConflictOccurs,
    DrawnCount,
    Guard,
    Index,
    ItemExists,
    Loop,
    Loops,
)
from planner.expansion.graph.fragments import (
    NO_POOL,
    RAMPED_UP,
    Fragment,
    fanned_out,
    in_group,
    in_sequence,
    single_task,
)
from planner.expansion.graph.order import topological
from planner.expansion.graph.outline import Dispatch, Part, Replicas
from planner.expansion.graph.segments import ItemSegment, SkipCondition
from planner.expansion.graph.work import (
    Body,
    Briefing,
    Reading,
    Rework,
    Stagger,
    Syncing,
    Work,
)
from planner.expansion.supersteps.limits import dispatched, with_own_pool
from planner.reading.estimates.estimate import Estimate
from planner.workflow.crews import Conflict, Coordination
from planner.workflow.declaration import ForEach, Step

ItemSegments = Callable[[Scope], list[ItemSegment]]
"""A function from the scope inside the fan-out to the segments of an item."""


_READY = np.iinfo(np.int32).max
"""Placeholder for the pool of agents that have ramped up. The complete fan-out has a pool of its own instead."""


def fan_out(crews: Crews, scope: Scope, step: Step, pool: int, segments: ItemSegments) -> Fragment:
    """Return the tasks of a fan-out in which one agent does all steps of an item, one after another.

    pool : pool of these agents
    segments : function that returns the `ItemSegment`s of an item
    """
    assert step.for_each is not None
    return _FanOut(crews, replace(scope, pool=pool), step.for_each, pool).fragment(segments)


def free_fan_out(crews: Crews, scope: Scope, step: Step, item: Callable[[Scope], Fragment]) -> Fragment:
    """Return the tasks of a fan-out in which each step of an item seizes an agent separately, if it needs one.

    item : function that returns the tasks of an item
    """
    assert step.for_each is not None
    return _FanOut(crews, scope, step.for_each, NO_POOL).free_fragment(item)


class _FanOut:
    """Builds a fan-out.

    pool : pool of the agents that hold the items; `NO_POOL` if no agent holds them
    """

    def __init__(self, crews: Crews, scope: Scope, declared: ForEach, pool: int) -> None:
        self.crews = crews
        self.scope = scope
        self.pool = pool
        self.backlog = declared.backlog
        self.counted: DrawnCount | None = None
        if self.backlog is not None:
            self.count = len(self.backlog.ids)
        elif isinstance(declared.count, Estimate):
            estimate = scope.bind(declared, crews.agents(scope.pool)).count
            assert isinstance(estimate, Estimate)
            self.count = most_items(estimate)
            if estimate.varies:
                self.counted = DrawnCount(scope.name, scope.loops, estimate, self.count)
        else:
            assert declared.count is not None
            self.count = crews.count(declared.count, scope)
        sizes = self.backlog.sizes if self.backlog is not None else None
        scaled = None if sizes is None else tuple(size * len(sizes) / sum(sizes) for size in sizes)
        size = declared.size if isinstance(declared.size, Estimate) else None
        self.agents = self.coordinating_agents()
        self.shared = self.shared_items()
        same = None if len(self.shared) == self.count else self.shared.same
        self.loops = (*scope.loops, Loop(len(self.shared), "items", scope.name, size, scaled, same))
        self.guard = self.item_exists(self.loops, several=False)
        self.coordination_guard = self.item_exists(self.loops, several=True)

    def coordinating_agents(self) -> int:
        """Return how many agents coordinate with each other in the fan-out. 1 means no coordination."""
        crew = self.crews.crew(self.pool)
        return 1 if crew is None else min(self.crews.agents(self.pool) or 1, self.count)

    def shared_items(self) -> SharedItems:
        order = list(range(self.count)) if self.backlog is None else topological(self.backlog.needs)
        crew = self.crews.crew(self.pool)
        redundancy = 0.0 if crew is None or self.agents == 1 else crew.coordination.redundancy
        return share_items(order, self.agents, redundancy)

    def item_exists(self, loops: Loops, several: bool) -> Guard | None:
        """Return the condition under which an item of the fan-out is done.

        If the number of items is fixed, this is the condition of the whole fan-out. If the number is drawn, an item is
        only done if its index, counted from 0, is below the drawn number.

        several : whether the drawn number must also be at least 2
        """
        if self.counted is None:
            return self.scope.guard
        return ItemExists(loops, self.scope.guard, self.counted, several)

    @property
    def coordination(self) -> Coordination:
        crew = self.crews.crew(self.pool)
        if crew is None or self.agents == 1:
            return Coordination()
        agents, model = self.crews.agents(self.pool), self.crews.workflow.model
        path = ("crews", self.crews.pools[self.pool], "coordination")
        return replace(self.scope, path=path, model=model).bind(crew.coordination, agents)

    def work(self, kind: str, body: Body, requests: bool = True) -> Work:
        """Return a piece of coordination work that is done for each item of the fan-out.

        requests : whether the work makes requests
        """
        workflow = self.crews.workflow
        ratio = self.crews.ratio(replace(self.scope, model=workflow.model, written_for=workflow.written_for))
        model = workflow.model if requests else None
        return Work(self.scope.name, kind, body, model, self.loops, self.coordination_guard, ratio=ratio)

    def fragment(self, segments: ItemSegments) -> Fragment:
        scope, declared = self.scope, self.coordination
        before: list[ItemSegment] = []
        briefing = None
        if declared.brief:
            brief = self.work("brief", declared.brief)
            briefing = Briefing(brief, self.guard)
            before.append(ItemSegment(0, brief, self.coordination_guard, detached=True))
        own = segments(replace(scope, loops=self.loops, guard=self.guard, briefing=briefing))
        if briefing is not None:
            briefing.requests.extend(_brief_readers(own, len(self.loops), briefing))
        after = self.after(declared, [segment.content for segment in own])
        if scope.own_tasks:
            after = [replace(segment, own_task=True) for segment in after]
        first = len(item_tasks(before, self.loops, self.guard)) if before else 0
        ramps_up = declared.ramp_up is not None or bool(declared.stagger)
        spare = ramps_up and self.agents < (self.crews.agents(self.pool) or 1)
        ramped_up = RampedUp(self.pool, _READY) if spare else None
        items = self.laid_out(item_tasks([*before, *own, *after], self.loops, self.guard, ramped_up), first)
        size = items.outline.body.size
        if not ramps_up:
            return self.dispatched(items.fragment, (Part(0, items.outline),), items.joints, size)
        return self.with_ramp_ups(declared, items, size, spare)

    def free_fragment(self, item: Callable[[Scope], Fragment]) -> Fragment:
        inside = replace(self.scope, loops=self.loops, guard=self.guard)
        items = self.laid_out(item(inside), 0)
        return self.dispatched(items.fragment, (Part(0, items.outline),), items.joints, items.outline.body.size)

    def dispatched(
        self, fragment: Fragment, parts: tuple[Part, ...], joints: Sequence[tuple[int, int]], size: int
    ) -> Fragment:
        """Return the complete fan-out, with the runtime's limit on concurrent tasks.

        The limit counts ramp-ups and items. Ramp-ups start before items.

        fragment : tasks of the fan-out, without the limit
        parts : the ramp-ups, if there are any, and then the items
        joints : additional edges between tasks, for example from an item to an item that needs it
        size : number of tasks of each item
        """
        first = parts[-1].at + 1
        ramp_ups = []
        if len(parts) > 1:
            assert isinstance(parts[0].outline, Replicas)
            each = parts[0].outline.body.size
            begins = [parts[0].at + 1 + agent * each for agent in range(self.agents)]
            ramp_ups = [(begin, begin + each - 1) for begin in begins]
        items = [(first + row * size, first + (row + 1) * size - 1) for row in self.order]
        outline = Dispatch(len(fragment), parts, tuple(joints), tuple(self.order))
        return dispatched(fragment, outline, [*ramp_ups, *items], self.crews.runtime.limit)

    @property
    def order(self) -> Sequence[int]:
        """Indices of the rows of the fan-out. Each row comes after all rows that it waits for.

        A row is an item done by one agent, so an item that several agents do has several rows.
        """
        return [row for rows in self.shared.rounds for row in rows]

    def after(self, declared: Coordination, contents: Sequence[Work | Fragment]) -> list[ItemSegment]:
        """Return the `ItemSegment`s of the coordination after the work of an item, such as a report and a merge.

        declared : coordination of the crew
        contents : work of the item
        """
        pool, guard, segments = self.pool, self.coordination_guard, []
        agents = BusyAgents(self.agents, self.counted)
        if declared.sync:
            every = self.crews.count(declared.sync.every, self.scope)
            segments.append(ItemSegment(pool, self.work("sync", Syncing(declared.sync.output, every, agents)), guard))
        if declared.report:
            report = self.work("report", declared.report)
            reading = replace(self.work("reading", Reading()), reads=report)
            segments += [ItemSegment(pool, report, guard), ItemSegment(0, reading, guard)]
        if declared.merge:
            merge = self.work("merge", declared.merge, declared.merge.asks)
            segments.append(ItemSegment(pool + 1, merge, guard))
            if declared.conflict and declared.conflict.chance:
                segments += self.conflicts(declared.conflict, merge, agents, contents)
        return segments

    def conflicts(
        self, conflict: Conflict, merge: Work, agents: BusyAgents, contents: Sequence[Work | Fragment]
    ) -> list[ItemSegment]:
        """Return the `ItemSegment`s for all possible conflicts of an item.

        Each conflict causes a rework and another merge.

        contents : work of the item, which the rework repeats
        """
        loop = Loop(MOST_CONFLICTS)
        loops = (*self.loops, loop)
        guard = ConflictOccurs(loops, self.coordination_guard, self.scope.name, conflict.chance, agents)
        repeated = (work for work in _works(contents) if work.kind != "human" and not work.coordination)
        reworks = [
            replace(
                self.work("rework", Rework(conflict.rework, work, first=number == 0)),
                guard=guard,
                loops=loops,
                model=work.model,
            )
            for number, work in enumerate(repeated)
        ]
        next_merge = replace(merge, loops=loops, guard=guard)
        nothing = single_task(NO_POOL, NO_POOL)  # a rework without any work seizes an agent too
        contents_again: Sequence[Work | Fragment] = reworks or [nothing]
        works = [*((self.pool, content) for content in contents_again), (self.pool + 1, next_merge)]
        return [
            ItemSegment(pool, work, guard, (loop,), (number,)) for number in range(loop.count) for pool, work in works
        ]

    def laid_out(self, item: Fragment, first: int) -> _Items:
        """Return copies of an item's tasks, one for each item, with edges where an item waits for other items.

        item : tasks of one item
        first : number in `item` of the task that waits for other items. Tasks before it, such as the lead's message to
            the agent, do not wait
        """
        size, joints, count = len(item), [], len(self.shared)
        ends = [1 + row * size + item.exit for row in range(count)]
        begins = [1 + row * size + first for row in range(count)]
        if self.backlog is not None:
            needs = self.backlog.needs
            joints += [(ends[need], begins[row]) for row, same in enumerate(self.shared.same) for need in needs[same]]
        crew = self.crews.crew(self.pool)
        if crew is None or not crew.lockstep or self.agents == 1:
            return _Items(fanned_out(item, count, joints), joints)
        for number, (earlier, later) in enumerate(pairwise(self.shared.rounds)):
            barrier = 1 + count * size + number
            joints += [(ends[row], barrier) for row in earlier] + [(barrier, begins[row]) for row in later]
        return _Items(fanned_out(item, count, joints, len(self.shared.rounds) - 1), joints)

    def with_ramp_ups(self, declared: Coordination, items: _Items, size: int, spare: bool) -> Fragment:
        """Return the fan-out with tasks in which its agents get ready before they do items.

        Each agent may wait for its delayed arrival (`stagger`), and then prepare itself (`ramp_up`).

        size : number of tasks of an item
        spare : whether the crew has more agents than the fan-out needs. Only agents that have got ready may do items
        """
        pool, agents = self.pool, self.agents
        loops = (*self.scope.loops, Loop(agents, "items"))
        guard = self.item_exists(loops, several=True)
        works = []
        if declared.stagger:
            stagger = self.work("stagger", Stagger(declared.stagger), requests=False)
            works.append(replace(stagger, loops=loops, guard=guard))
        if declared.ramp_up is not None:
            works.append(replace(self.work("ramp_up", declared.ramp_up), loops=loops, guard=guard))
        skip = (SkipCondition(guard, loops),) if guard else ()
        does = [(work, ()) for work in works]
        ramp_up = single_task(pool, pool, *works, *skip, does=does)
        if spare:  # no item can have an agent that has not ramped up
            seize, release = ([replace(condition) for condition in skip] for _ in range(2))
            steps = [single_task(_READY, NO_POOL, *seize), ramp_up, single_task(NO_POOL, _READY, *release)]
            ramp_up = in_sequence(steps)
        ramp_ups = fanned_out(ramp_up, agents)
        whole = in_group({"ramp_up": ramp_ups, "items": items.fragment}, {"ramp_up": (), "items": ()})
        items_at = 1 + len(ramp_ups)
        joints = [(source + items_at, target + items_at) for source, target in items.joints]
        if spare:
            seizing, releasing = (np.flatnonzero(pools == _READY).tolist() for pools in (whole.acquire, whole.release))
            whole = with_own_pool(whole, RAMPED_UP, agents, seizing, releasing)
        return self.dispatched(whole, (Part(1, ramp_ups.outline), Part(items_at, items.outline)), joints, size)


@dataclass(frozen=True, eq=False)
class _Items:
    """The items of a fan-out, laid out side by side, and the edges between items."""

    fragment: Fragment
    joints: Sequence[tuple[int, int]]

    @property
    def outline(self) -> Replicas:
        assert isinstance(self.fragment.outline, Replicas)
        return self.fragment.outline


def _brief_readers(segments: Sequence[ItemSegment], depth: int, briefing: Briefing) -> Iterator[tuple[Work, Index]]:
    """Yield the requests of an item that may read its brief, a message from the lead to the agent of the item.

    The requests come in the order in which the item makes them. Each comes with its occurrence inside the item, such as
    (2,) for round 2. Of several copies, only copy 0 is listed.

    segments : segments of the item
    depth : number of loops around the item, including the fan-out of the item
    """
    for segment in segments:
        if isinstance(segment.content, Work):
            if segment.content.reads is briefing:
                yield segment.content, segment.inner
            continue
        for task_map in segment.content.task_maps:
            work = task_map.subject
            if isinstance(work, Work) and work.reads is briefing:
                missing = len(work.loops) - depth - len(segment.inner)
                yield work, (*segment.inner, *[0] * missing)


def _works(contents: Sequence[Work | Fragment]) -> list[Work]:
    """Return each piece of work of an item once. Work in nested fan-outs is included."""
    works: dict[Work, None] = {}
    for content in contents:
        if isinstance(content, Work):
            works[content] = None
        else:
            subjects = (task_map.subject for task_map in content.task_maps)
            works |= dict.fromkeys(subject for subject in subjects if isinstance(subject, Work))
    return list(works)
