"""Segments of an item, and the tasks between them at which the item seizes and releases agents."""

from __future__ import annotations

from dataclasses import dataclass, field

from planner.expansion.graph.conditions import (
    Guard,
    Index,
    Loops,
)
from planner.expansion.graph.fragments import (
    NO_POOL,
    Fragment,
)
from planner.expansion.graph.work import Work


@dataclass(frozen=True, eq=False)
class SkipCondition:
    """Skips a task of an item in samples in which the condition `guard` does not hold.

    Skipped work has no duration anyway. So only three kinds of tasks need a `SkipCondition`: tasks that seize an
    agent, tasks that release an agent, and tasks for which a person has to turn back from something else.

    loops : loops around the item
    inner : occurrence of the task inside the item, such as (2,) for round 2
    """

    guard: Guard
    loops: Loops
    inner: Index = ()


@dataclass(frozen=True, eq=False)
class ItemSegment:
    """A part of an item. During the whole part, the item holds the same agent, or no agent.

    pool : pool of the agent that the segment needs; `NO_POOL`: it needs no agent
    content : a `Work`, or a fragment. The tasks of a fragment do not seize the agent themselves
    guard : condition under which the segment is done; None: always
    rounds : loops of rounds and attempts that are inside the item and around the segment
    inner : number of the segment's round or attempt in each of `rounds`
    own_task : whether the segment must be a task by itself. Other segments may share a task with their neighbours
    detached : whether the segment must be a task by itself and always releases its agent at the end
    context_switch : whether a person does the segment and may have turned to something else before (YAML `leaves`)
    releases : whether the item releases the agent after the segment, because no segment that may come next needs an
        agent of `pool`
    """

    pool: int
    content: Work | Fragment
    guard: Guard | None = None
    rounds: Loops = ()
    inner: Index = ()
    own_task: bool = False
    detached: bool = False
    context_switch: bool = False
    releases: bool = False

    @property
    def pool_held_after(self) -> int:
        """Pool of the agent that the item holds after this segment; `NO_POOL`: the item holds no agent."""
        return NO_POOL if self.detached or self.releases else self.pool


@dataclass(frozen=True, eq=False)
class ItemPlan:
    """The segments of an item or of a copy, in order. They decide in which samples an `AgentTask` is skipped.

    loops : loops around the item
    agent_tasks : tasks that seize or release agents, in order. They are added while the item is built
    """

    loops: Loops
    segments: tuple[ItemSegment, ...]
    agent_tasks: list[AgentTask] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class AgentTask:
    """A task without duration that seizes or releases an agent of `pool`.

    position : number of the next segment. At the end of the item, `position` is the number of segments
    """

    plan: ItemPlan
    position: int
    pool: int


class SeizeTask(AgentTask):
    """A task that seizes an agent for the segment at `position`."""


class ReleaseTask(AgentTask):
    """A task that releases the item's agent before the segment at `position` begins."""


@dataclass(frozen=True, eq=False)
class SkippedWith:
    """Skips a task in samples in which another task is skipped. `task` is this other task."""

    task: AgentTask
