"""Segments of an item in; its tasks out, with the points at which the item seizes and releases agents.

An item never holds more than one agent. Before a segment that needs no agent, or an agent of another pool, the item
releases its agent. If a later segment needs an agent of the first pool, the item queues for one again.

At some points, an item holds an agent of the same pool in every sample. There the tasks of segments seize
and release the agent. At other points the pool depends on draws. There separate tasks without duration seize and
release agents: `SeizeTask`s and `ReleaseTask`s. They are skipped in samples that do not need them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from planner.expansion.graph.conditions import (
    Guard,
    Loops,
    always_holds,
)
from planner.expansion.graph.fragments import (
    NO_POOL,
    Fragment,
    in_sequence,
    single_task,
    with_merged_maps,
)
from planner.expansion.graph.outline import InRound
from planner.expansion.graph.segments import (
    AgentTask,
    ItemPlan,
    ItemSegment,
    ReleaseTask,
    SeizeTask,
    SkipCondition,
    SkippedWith,
)
from planner.expansion.graph.work import Work


@dataclass(frozen=True)
class RampedUp:
    """The two pools of a crew whose agents must ramp up before they serve an item.

    pool : pool of all agents of the crew
    ready : pool of the agents that have already ramped up
    """

    pool: int
    ready: int


def item_tasks(
    segments: Sequence[ItemSegment], loops: Loops, guard: Guard | None, ramped_up: RampedUp | None = None
) -> Fragment:
    """Return the tasks of an item, or of a copy, in sequence.

    segments : segments of the item, in order
    loops : loops around the item, including the fan-out of the item
    guard : condition under which the item is carried out; None: always
    ramped_up : pools of the crew whose agents must ramp up before they serve the item; None: no ramp-up is needed
    """
    predecessors = [_predecessors(position, segments, guard, len(loops)) for position in range(len(segments) + 1)]
    continued = {
        earlier
        for segment, before in zip(segments, predecessors, strict=False)
        for earlier in before
        if segments[earlier].pool == segment.pool
    }
    releasing = [
        replace(segment, releases=segment.pool != NO_POOL and position not in continued)
        for position, segment in enumerate(segments)
    ]
    return _ItemBuilder(ItemPlan(loops, tuple(releasing)), guard, predecessors, ramped_up).fragment()


def _predecessors(position: int, segments: Sequence[ItemSegment], guard: Guard | None, depth: int) -> list[int]:
    """Return the numbers of the segments that may come directly before the segment `position`.

    The number −1 means the start of the item. For example, let `position` be 2. The result is `[1]` if segment 1 is
    never skipped. It is `[1, 0]` if only segment 1 may be skipped. It is `[1, 0, −1]` if segments 0 and 1 may be
    skipped.

    guard : condition under which the item is carried out
    depth : number of loops around the item, including the fan-out of the item
    """
    result = []
    condition = (segments[position].guard, segments[position].inner) if position < len(segments) else (guard, ())
    for earlier in reversed(range(position)):
        segment, following = segments[earlier], segments[earlier + 1] if earlier + 1 < position else None
        done = segment.guard, segment.inner
        if following is None or not always_holds(following.guard, following.inner, guard, depth, *done):
            result.append(earlier)
        if always_holds(*done, guard, depth, *condition):
            return result
    return [*result, -1]


class _ItemBuilder:
    """Builds the tasks of an item. Where possible, consecutive segments share a task.

    predecessors : for each segment, the numbers of the segments that may come directly before it. −1 is the start of
        the item. One more entry is for the end of the item
    """

    def __init__(
        self,
        plan: ItemPlan,
        guard: Guard | None,
        predecessors: Sequence[Sequence[int]],
        ramped_up: RampedUp | None,
    ) -> None:
        self.plan = plan
        self.guard = guard
        self.predecessors = predecessors
        self.ramped_up = ramped_up
        self.fragments: list[Fragment] = []
        self.pending: list[ItemSegment] = []  # segments of the next task, which is not yet added
        self.seized = NO_POOL  # pool from which the next task seizes an agent

    def fragment(self) -> Fragment:
        end = len(self.plan.segments)
        for position, segment in enumerate(self.plan.segments):
            self.add(position, segment)
        self.close()
        self.release(end, self.pools_held_before(end))
        rounds: dict[object, tuple[int, ...]] = {}
        for segment in self.plan.segments:
            content = segment.content
            subjects = (
                [task_map.subject for task_map in content.task_maps] if isinstance(content, Fragment) else [content]
            )
            rounds |= dict.fromkeys(subjects, tuple(loop.count for loop in segment.rounds))
        return with_merged_maps(in_sequence(self.fragments), rounds)

    def pools_held_before(self, position: int) -> set[int]:
        """Return the pools of the agents that the item possibly holds just before the segment number `position`.

        The pool depends on draws, so there may be several. The result includes `NO_POOL` if possibly no agent is held.
        """
        segments = self.plan.segments
        return {
            NO_POOL if earlier < 0 else segments[earlier].pool_held_after for earlier in self.predecessors[position]
        }

    def add(self, position: int, segment: ItemSegment) -> None:
        held, is_fragment = self.pools_held_before(position), isinstance(segment.content, Fragment)
        if held != {segment.pool}:
            self.close()
            self.release(position, held - {segment.pool})
            if segment.pool != NO_POOL and held == {NO_POOL} and not is_fragment:
                self.seized = segment.pool
            elif segment.pool != NO_POOL:
                self.add_agent_task(SeizeTask(self.plan, position, segment.pool))
        if isinstance(segment.content, Fragment):
            self.close()
            outline = InRound(len(segment.content), segment.inner, segment.content.outline)
            self.fragments.append(replace(segment.content, outline=outline))
            self.release(position + 1, {segment.pool} if segment.releases else set())
            return
        if self.pending and not self.fits_pending_task(segment):
            self.close()
        self.pending.append(segment)
        if segment.releases or segment.detached:
            self.close_and_release(position, segment)

    def fits_pending_task(self, segment: ItemSegment) -> bool:
        """Whether a segment can share a task with the segments in `self.pending`.

        The shared task must run in every sample in which the segment is done.
        """
        first, last = self.pending[0], self.pending[-1]
        if segment.pool == NO_POOL or segment.detached or segment.own_task or last.own_task:
            return False
        done = segment.guard, segment.inner
        return not self.needs_skip(first) or always_holds(first.guard, first.inner, self.guard, self.depth, *done)

    def close_and_release(self, position: int, segment: ItemSegment) -> None:
        """Add the task of the segments in `self.pending`, and release the agent of its last segment.

        If possible, the task itself releases the agent. Otherwise a separate release task is added.

        position : number of the last segment
        segment : the last segment
        """
        first, others = self.pending[0], self.pools_held_before(position + 1)
        last_done, first_done = (segment.guard, segment.inner), (first.guard, first.inner)
        together = all(
            always_holds(*condition, self.guard, self.depth, *given)
            for condition, given in ((last_done, first_done), (first_done, last_done))
        )
        if together and segment.pool not in others:
            self.close(release=segment.pool)
        else:
            self.close()
            self.release(position + 1, {segment.pool})

    def release(self, position: int, held: set[int]) -> None:
        """Add release tasks before the segment at `position`, one for each pool in `held`.

        A pool that already has a release task at this position gets no second task.
        """
        present = takewhile(lambda task: task.position == position, reversed(self.plan.agent_tasks))
        for pool in sorted(held - {NO_POOL} - {task.pool for task in present}):
            self.add_agent_task(ReleaseTask(self.plan, position, pool))

    def add_agent_task(self, task: AgentTask) -> None:
        self.plan.agent_tasks.append(task)
        seizes = isinstance(task, SeizeTask)
        acquire, release = (task.pool, NO_POOL) if seizes else (NO_POOL, task.pool)
        skip = [SkippedWith(task)]
        self.seize_ramped_up(acquire, skip)
        self.fragments.append(single_task(acquire, release, task))
        self.release_ramped_up(release, skip)

    def seize_ramped_up(self, pool: int, skip: Sequence[SkipCondition | SkippedWith]) -> None:
        """Add a task that waits for a ramped-up agent, if agents of `pool` have to ramp up before they do items.

        skip : condition under which the added task is skipped; empty: it is never skipped
        """
        if self.ramped_up is not None and pool == self.ramped_up.pool:
            self.fragments.append(single_task(self.ramped_up.ready, NO_POOL, *skip))

    def release_ramped_up(self, pool: int, skip: Sequence[SkipCondition | SkippedWith]) -> None:
        """Add a task that returns an agent to the ramped-up agents, if agents of `pool` have to ramp up before items.

        skip : condition under which the added task is skipped; empty: it is never skipped
        """
        if self.ramped_up is not None and pool == self.ramped_up.pool:
            self.fragments.append(single_task(NO_POOL, self.ramped_up.ready, *skip))

    @property
    def depth(self) -> int:
        return len(self.plan.loops)

    def needs_skip(self, first: ItemSegment) -> bool:
        """Whether the next task must not run at all in samples in which its first segment is not done.

        Otherwise the task could seize an agent, or make a person turn back from something else, without need.

        first : first segment of the next task
        """
        return self.seized != NO_POOL or first.context_switch

    def close(self, release: int = NO_POOL) -> None:
        """Add the task of the segments in `self.pending`, if there are any.

        Some tasks must be skipped in samples in which their first segment is not done. These are tasks that seize or
        release an agent, and tasks for which a person has to turn back from something else.

        release : pool to which the task releases an agent, or `NO_POOL`
        """
        if self.pending:
            first = self.pending[0]
            guard, inner = first.guard, first.inner
            if always_holds(guard, inner, self.guard, self.depth):
                guard, inner = self.guard, ()
            may_skip = self.needs_skip(first) or release != NO_POOL
            skip = [SkipCondition(guard, self.plan.loops, inner)] if may_skip and guard is not None else []
            person = any(
                segment.content.kind == "human" for segment in self.pending if isinstance(segment.content, Work)
            )
            does = [(segment.content, segment.inner) for segment in self.pending]
            works = [work for work, _ in does]
            self.seize_ramped_up(self.seized, [replace(condition) for condition in skip])
            self.fragments.append(single_task(self.seized, release, *works, *skip, person=person, does=does))
            self.release_ramped_up(release, [replace(condition) for condition in skip])
        self.pending, self.seized = [], NO_POOL
