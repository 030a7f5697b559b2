"""The segments of an item, and where it seizes and releases agents between them."""

from __future__ import annotations

from dataclasses import dataclass, field

from planner.expansion.graph.conditions import (
    Guard,
)
from planner.expansion.graph.fragments import (
    NO_POOL,
    Fragment,
)
from planner.expansion.graph.loops import Index, Loops
from planner.expansion.graph.work import Work


@dataclass(frozen=True, eq=False)
class SkipCondition:
    """A task that is skipped where `guard` does not hold: it takes or gives an agent, or is of somebody who may leave.

    loops : around the item
    inner : its occurrence in the loops within it
    """

    guard: Guard
    loops: Loops
    inner: Index = ()


@dataclass(frozen=True, eq=False)
class ItemSegment:
    """A stretch of an item.

    pool : whose agent it needs, or −1
    content : work, or a fragment of its own that needs none of the item's
    guard : when it is done
    rounds : the loops within the item around it
    inner : its occurrence in them
    apart : it is a task of its own, and lets its agent go, whoever comes next
    alone : it is a task of its own
    leaves : it is a person who may have left
    frees : it lets its agent go at its end, because nobody who may come next goes on with it
    """

    pool: int
    content: Work | Fragment
    guard: Guard | None = None
    rounds: Loops = ()
    inner: Index = ()
    apart: bool = False
    alone: bool = False
    leaves: bool = False
    frees: bool = False

    @property
    def leaves_held(self) -> int:
        """The pool whose agent is held after it."""
        return NO_POOL if self.apart or self.frees else self.pool


@dataclass(frozen=True, eq=False)
class ItemPlan:
    """The pieces of an item, or of a copy, in order, from which follows where hands are skipped.

    loops : around its pieces
    hands : in the order of their tasks
    """

    loops: Loops
    pieces: tuple[ItemSegment, ...]
    hands: list[SeizeRelease] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class SeizeRelease:
    """Takes an agent of `pool` before the piece at `position`, or gives it back; after the last piece, at the end."""

    plan: ItemPlan
    position: int
    pool: int
    takes: bool
