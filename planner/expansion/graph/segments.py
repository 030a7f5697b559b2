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
    """Skips a task where `guard` does not hold. The task seizes or releases an agent, or belongs to a person.

    loops : around the item
    inner : occurrence of the task in the loops within the item
    """

    guard: Guard
    loops: Loops
    inner: Index = ()


@dataclass(frozen=True, eq=False)
class ItemSegment:
    """A stretch of an item for which the same agent is held.

    pool : of the agent that it needs, or `NO_POOL`
    content : work, or a fragment; the agent is held around a fragment, not seized by its tasks
    guard : when it is done; None: always
    rounds : loops around it within the item
    inner : its occurrence in `rounds`
    own_task : it does not share a task with other segments
    detached : it has its own task and releases its agent at its end, even if the next segment needs the same pool
    context_switch : its person may have turned to something else (YAML `leaves`)
    releases : it releases its agent at its end, because no segment that may come next needs the same pool
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
        """Pool whose agent the item holds after the segment, or `NO_POOL`."""
        return NO_POOL if self.detached or self.releases else self.pool


@dataclass(frozen=True, eq=False)
class ItemPlan:
    """The segments of an item, or of a copy, in order. They determine in which samples an agent task is skipped.

    loops : around the item
    agent_tasks : in the order of their tasks; filled in as the item is built
    """

    loops: Loops
    segments: tuple[ItemSegment, ...]
    agent_tasks: list[AgentTask] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class AgentTask:
    """A task without duration that seizes or releases an agent of `pool`.

    position : of the segment that it precedes; the number of segments: the end of the item
    """

    plan: ItemPlan
    position: int
    pool: int


class SeizeTask(AgentTask):
    """Seizes an agent for the segment at `position`."""


class ReleaseTask(AgentTask):
    """Releases the agent that is held before the segment at `position`."""


@dataclass(frozen=True, eq=False)
class SkippedWith:
    """Skips a task in the samples in which `task` is skipped."""

    task: AgentTask
