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
    """Skips a task in samples in which `guard` does not hold.

    Only a task that seizes or releases an agent, or belongs to a person, has such a condition.

    loops : loops around the item
    inner : occurrence of the task in the loops inside the item
    """

    guard: Guard
    loops: Loops
    inner: Index = ()


@dataclass(frozen=True, eq=False)
class ItemSegment:
    """A part of an item during which the item holds the same agent.

    pool : pool of the agent that the segment needs; `NO_POOL`: it needs no agent
    content : a work or a fragment. The item holds the agent while a fragment runs; the tasks inside do not seize it
    guard : condition under which the segment is done; None: always
    rounds : loops around the segment, inside the item
    inner : occurrence of the segment in `rounds`
    own_task : the segment shares no task with other segments
    detached : the segment has its own task and releases its agent, even if the next segment needs the same pool
    context_switch : the person who does the segment may have turned to something else (YAML `leaves`)
    releases : the segment releases its agent, because no segment that may come next needs the same pool
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
        """Pool of the agent that the item still holds after the segment, or `NO_POOL`."""
        return NO_POOL if self.detached or self.releases else self.pool


@dataclass(frozen=True, eq=False)
class ItemPlan:
    """The segments of an item, or of a copy, in order. They determine in which samples an `AgentTask` is skipped.

    loops : loops around the item
    agent_tasks : the agent tasks in their order in the item; added while the item is built
    """

    loops: Loops
    segments: tuple[ItemSegment, ...]
    agent_tasks: list[AgentTask] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class AgentTask:
    """A task without duration that seizes or releases an agent of `pool`.

    position : position of the segment that the task precedes; at the end of the item, the number of segments
    """

    plan: ItemPlan
    position: int
    pool: int


class SeizeTask(AgentTask):
    """Seizes an agent for the segment at `position`."""


class ReleaseTask(AgentTask):
    """Releases the agent that the item holds before the segment at `position`."""


@dataclass(frozen=True, eq=False)
class SkippedWith:
    """Skips a task in the samples in which `task` is skipped."""

    task: AgentTask
