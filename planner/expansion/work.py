"""What is done: declared pieces of work, the loops around them, and the conditions under which they are done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from planner.reading.estimates import Estimate
from planner.workflow.bodies import AgentLoop, Call, Llm, Wait
from planner.workflow.crews import Merge, Message


@dataclass(frozen=True, eq=False)
class Loop:
    """A loop around work: the items of a fan-out, or rounds one after the other.

    path : of the step with the fan-out, whose draws the sizes of items are
    size : of its items, 1 on average; None: all alike
    """

    count: int
    items: bool = False
    path: str = ""
    size: Estimate | None = None


Loops = tuple[Loop, ...]
"""Outermost first."""

Index = tuple[int, ...]
"""An occurrence: a number for each loop; `EVERY` at the innermost fan-out, whose items are computed together."""

EVERY = -1


def innermost_items(loops: Loops) -> int | None:
    """Position of the innermost fan-out among loops."""
    return next((at for at in reversed(range(len(loops))) if loops[at].items), None)


@dataclass(frozen=True, eq=False)
class Guard:
    """A condition, drawn for each occurrence of what it guards.

    kind : ``draw`` holds where low ≤ u < high for a uniform draw u; ``rounds`` holds in a round if every round before
        was rejected, where a round is accepted with probability `high`; its loop is the last of `loops`
    path : declared path whose draw it is; branches of one choice share it
    parent : the condition around it, which must hold too
    """

    kind: Literal["draw", "rounds"]
    path: str
    loops: Loops
    low: float
    high: float
    parent: Guard | None


@dataclass(frozen=True, eq=False)
class Reading:
    """The lead's reading of a report: its input is what the report put out."""


@dataclass(frozen=True, eq=False)
class Syncing:
    """An item's share of the messages of its crew: so many times, an agent reads those of its peers and writes its own.

    peers : agents less one
    share : syncs of an agent that fall on one item: agents / every
    """

    output: Estimate
    peers: int
    share: float


@dataclass(frozen=True, eq=False)
class Work:
    """One declared piece of work, however often it occurs.

    step : path of the step, joined by dots
    kind : ``llm``, ``agent``, ``tool``, ``human``, or a coordination mechanism
    model : name of the profile that serves its requests, None if it makes none
    loops : around it
    guard : when it is done; None: always
    reads : work whose output its first request reads: a brief, or the report of a `Reading`
    """

    step: str
    kind: str
    body: Llm | AgentLoop | Call | Wait | Message | Merge | Reading | Syncing
    model: str | None = None
    loops: Loops = ()
    guard: Guard | None = None
    reads: Work | None = None

    @property
    def coordination(self) -> bool:
        return isinstance(self.body, Message | Merge | Reading | Syncing)
