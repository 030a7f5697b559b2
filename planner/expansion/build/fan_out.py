"""Fan-outs: items side by side, and what a crew does to coordinate them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from planner.expansion.build.item import item_tasks
from planner.expansion.build.pools import Crews, Shared, shared
from planner.expansion.build.scope import Scope
from planner.expansion.build.size_limits import AGAIN, most_items
from planner.expansion.graph.conditions import (
    Agents,
    ConflictOccurs,
    Counted,
    Guard,
    ItemExists,
)
from planner.expansion.graph.fragments import (
    Fragment,
    fanned_out,
    side_by_side,
    single_task,
)
from planner.expansion.graph.loops import Index, Loop, Loops
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
from planner.expansion.supersteps.barriers import sent
from planner.reading.estimates.estimate import Estimate
from planner.workflow.crews import Conflict, Coordination
from planner.workflow.declaration import ForEach, Step


def fan_out(crews: Crews, here: Scope, step: Step, pieces: Callable[[Scope], list[ItemSegment]]) -> Fragment:
    """The items of a step, by agents of `here.pool`. `pieces`: of an item, from where it stands."""
    assert step.for_each is not None
    return _FanOut(crews, here, step.for_each).fragment(pieces)


class _FanOut:
    def __init__(self, crews: Crews, here: Scope, declared: ForEach) -> None:
        self.crews = crews
        self.here = here
        self.backlog = declared.backlog
        self.counted: Counted | None = None
        if self.backlog is not None:
            self.count = len(self.backlog.ids)
        elif isinstance(declared.count, Estimate):
            estimate = here.bound(declared, crews.agents(here.pool)).count
            assert isinstance(estimate, Estimate)
            self.count = most_items(estimate)
            if estimate.varies:
                self.counted = Counted(here.name, here.loops, estimate, self.count)
        else:
            assert declared.count is not None
            self.count = crews.count(declared.count, here)
        sizes = self.backlog.sizes if self.backlog is not None else None
        scaled = None if sizes is None else tuple(size * len(sizes) / sum(sizes) for size in sizes)
        size = declared.size if isinstance(declared.size, Estimate) else None
        self.agents = self.coordinating()
        self.shared = self.sharing()
        same = None if len(self.shared) == self.count else self.shared.same
        self.loops = (*here.loops, Loop(len(self.shared), "items", here.name, size, scaled, same))
        self.guard = self.exists(self.loops, several=False)
        self.together = self.exists(self.loops, several=True)

    def coordinating(self) -> int:
        """Agents that coordinate: 1 where there is nothing to."""
        crew = self.crews.crew(self.here.pool)
        return 1 if crew is None else min(self.crews.agents(self.here.pool), self.count)

    def sharing(self) -> Shared:
        """Which items several agents do."""
        order = list(range(self.count)) if self.backlog is None else topological(self.backlog.needs)
        crew = self.crews.crew(self.here.pool)
        return shared(order, self.agents, 0.0 if crew is None or self.agents == 1 else crew.coordination.redundancy)

    def exists(self, loops: Loops, several: bool) -> Guard | None:
        """Where an item is among those that are drawn."""
        if self.counted is None:
            return self.here.guard
        return ItemExists(loops, self.here.guard, self.counted, several)

    @property
    def coordination(self) -> Coordination:
        crew = self.crews.crew(self.here.pool)
        if crew is None or self.agents == 1:
            return Coordination()
        agents, model = self.crews.agents(self.here.pool), self.crews.workflow.model
        path = ("crews", self.crews.pools[self.here.pool], "coordination")
        return replace(self.here, path=path, model=model).bound(crew.coordination, agents)

    def work(self, kind: str, body: Body, asks: bool = True) -> Work:
        """A work of coordination, for each item."""
        workflow = self.crews.workflow
        ratio = self.crews.ratio(replace(self.here, model=workflow.model, written_for=workflow.written_for))
        model = workflow.model if asks else None
        return Work(self.here.name, kind, body, model, self.loops, self.together, ratio=ratio)

    def fragment(self, pieces: Callable[[Scope], list[ItemSegment]]) -> Fragment:
        here, declared = self.here, self.coordination
        before: list[ItemSegment] = []
        briefing = None
        if declared.brief:
            brief = self.work("brief", declared.brief)
            briefing = Briefing(brief, self.guard)
            before.append(ItemSegment(0, brief, self.together, apart=True))
        done = pieces(replace(here, loops=self.loops, guard=self.guard, briefing=briefing))
        if briefing is not None:
            briefing.requests.extend(_requests(done, len(self.loops), briefing))
        after = self.after(declared, [piece.content for piece in done])
        if here.apart:
            after = [replace(piece, alone=True) for piece in after]
        first = len(item_tasks(before, self.loops, self.guard)) if before else 0
        items = self.laid_out(item_tasks([*before, *done, *after], self.loops, self.guard), first)
        size = items.outline.body.size
        if declared.ramp_up is None and not declared.stagger:
            return self.sent(items.fragment, (Part(0, items.outline),), items.joints, size)
        return self.ramped_up(declared, items, size, first)

    def sent(
        self, fragment: Fragment, parts: tuple[Part, ...], joints: Sequence[tuple[int, int]], size: int
    ) -> Fragment:
        """What is sent out, of which the items, of so many tasks each, come last."""
        first = parts[-1].at + 1
        ahead = [(parts[0].at + 1 + agent, parts[0].at + 1 + agent) for agent in range(self.agents) if len(parts) > 1]
        items = [(first + number * size, first + (number + 1) * size - 1) for number in self.order]
        outline = Dispatch(len(fragment), parts, tuple(joints), tuple(self.order))
        return sent(fragment, outline, [*ahead, *items], self.crews.runtime.limit)

    @property
    def order(self) -> Sequence[int]:
        """The order of items, with those that are done again, in which each comes after those it waits for."""
        return [item for items in self.shared.rounds for item in items]

    def after(self, declared: Coordination, done: Sequence[Work | Fragment]) -> list[ItemSegment]:
        """What follows the work of an item."""
        pool, guard, pieces = self.here.pool, self.together, []
        agents = Agents(self.agents, self.counted)
        if declared.sync:
            every = self.crews.count(declared.sync.every, self.here)
            pieces.append(ItemSegment(pool, self.work("sync", Syncing(declared.sync.output, every, agents)), guard))
        if declared.report:
            report = self.work("report", declared.report)
            reading = replace(self.work("reading", Reading()), reads=report)
            pieces += [ItemSegment(pool, report, guard), ItemSegment(0, reading, guard)]
        if declared.merge:
            merge = self.work("merge", declared.merge, declared.merge.asks)
            pieces.append(ItemSegment(pool + 1, merge, guard))
            if declared.conflict and declared.conflict.chance:
                pieces += self.conflicts(declared.conflict, merge, agents, done)
        return pieces

    def conflicts(
        self, conflict: Conflict, merge: Work, agents: Agents, done: Sequence[Work | Fragment]
    ) -> list[ItemSegment]:
        """Rework and another merge, as often as there may be conflicts."""
        loop = Loop(AGAIN)
        loops = (*self.loops, loop)
        guard = ConflictOccurs(loops, self.together, self.here.name, conflict.chance, agents)
        reworks = [
            replace(
                self.work("rework", Rework(conflict.rework, work, not at)), guard=guard, loops=loops, model=work.model
            )
            for at, work in enumerate(work for work in _works(done) if work.kind != "human" and not work.coordination)
        ]
        again = replace(merge, loops=loops, guard=guard)
        steps = [*((self.here.pool, rework) for rework in reworks), (self.here.pool + 1, again)]
        return [
            ItemSegment(pool, work, guard, (loop,), (number,)) for number in range(loop.count) for pool, work in steps
        ]

    def laid_out(self, item: Fragment, first: int) -> _Items:
        """Items side by side, where they do not wait for each other; then they do so before their task `first`."""
        size, joints, count = len(item), [], len(self.shared)
        ends = [1 + number * size + item.exit for number in range(count)]
        begins = [1 + number * size + first for number in range(count)]
        if self.backlog is not None:
            needs = self.backlog.needs
            joints += [(ends[need], begins[row]) for row, same in enumerate(self.shared.same) for need in needs[same]]
        crew = self.crews.crew(self.here.pool)
        if crew is None or not crew.lockstep or self.agents == 1:
            return _Items(fanned_out(item, count, joints), joints)
        for number, (one, other) in enumerate(pairwise(self.shared.rounds)):
            barrier = 1 + count * size + number
            joints += [(ends[row], barrier) for row in one] + [(barrier, begins[row]) for row in other]
        return _Items(fanned_out(item, count, joints, len(self.shared.rounds) - 1), joints)

    def ramped_up(self, declared: Coordination, items: _Items, size: int, first: int) -> Fragment:
        """Items whose agents first come and ramp up. They are before all items in the queue of the crew.

        size : tasks of an item
        first : that of its tasks which takes the first agent
        """
        pool, agents = self.here.pool, self.agents
        loops = (*self.here.loops, Loop(agents, "items"))
        guard = self.exists(loops, several=True)
        works = []
        if declared.stagger:
            works.append(replace(self.work("stagger", Stagger(declared.stagger), asks=False), loops=loops, guard=guard))
        if declared.ramp_up is not None:
            works.append(replace(self.work("ramp_up", declared.ramp_up), loops=loops, guard=guard))
        skip = (SkipCondition(guard, loops),) if guard else ()
        does = [(work, ()) for work in works]
        ramp_ups = fanned_out(single_task(pool, pool, *works, *skip, does=does), agents)
        both = side_by_side({"ramp_up": ramp_ups, "items": items.fragment}, {"ramp_up": (), "items": ()})
        behind = 1 + len(ramp_ups)
        joints = [(source + behind, target + behind) for source, target in items.joints]
        if agents < self.crews.agents(pool):
            each = np.arange(agents, dtype=np.int32)  # agents to spare must not begin items without ramping up
            waits = np.stack([each + 2, behind + 1 + each * size + first], axis=1).astype(np.int32)
            both = replace(both, edges=np.concatenate([both.edges, waits]))
            joints += [(int(source), int(target)) for source, target in waits]
        return self.sent(both, (Part(1, ramp_ups.outline), Part(behind, items.outline)), joints, size)


@dataclass(frozen=True, eq=False)
class _Items:
    """Items side by side, and how they wait for each other."""

    fragment: Fragment
    joints: Sequence[tuple[int, int]]

    @property
    def outline(self) -> Replicas:
        assert isinstance(self.fragment.outline, Replicas)
        return self.fragment.outline


def _requests(done: Sequence[ItemSegment], depth: int, briefing: Briefing) -> Iterator[tuple[Work, Index]]:
    """The requests of an item that may read its brief, in their order; its own loops are `depth` deep."""
    for piece in done:
        if isinstance(piece.content, Work):
            if piece.content.reads is briefing:
                yield piece.content, piece.inner
            continue
        for mark in piece.content.task_maps:
            if isinstance(mark.subject, Work) and mark.subject.reads is briefing:
                missing = len(mark.subject.loops) - depth - len(piece.inner)
                yield mark.subject, (*piece.inner, *[0] * missing)


def _works(done: Sequence[Work | Fragment]) -> list[Work]:
    """The works of an item, each once, those of its fan-outs included."""
    found: dict[Work, None] = {}
    for content in done:
        if isinstance(content, Work):
            found[content] = None
        else:
            found |= dict.fromkeys(mark.subject for mark in content.task_maps if isinstance(mark.subject, Work))
    return list(found)
