"""What is done: declared pieces of work, the loops around them, and the conditions under which they are done."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from planner.expansion.graph.conditions import Agents, Guard
from planner.expansion.graph.loops import Index, Loops
from planner.reading.estimates.estimate import Estimate
from planner.workflow.bodies import (
    AgentLoop,
    Call,
    Llm,
    Tool,
    Wait,
)
from planner.workflow.crews import Merge, Message
from planner.workflow.declaration import Retry


@dataclass(frozen=True, eq=False)
class Reading:
    """The lead's reading of a report: its input is what the report put out."""


@dataclass(frozen=True, eq=False)
class Syncing:
    """An item's share of the messages of its crew: at a sync an agent reads those of its peers and writes its own.

    every : items of the crew between two syncs
    """

    output: Estimate
    every: int
    agents: Agents


@dataclass(frozen=True, eq=False)
class Stagger:
    """An agent comes so many seconds after the one before it."""

    seconds: float


@dataclass(frozen=True, eq=False)
class Rework:
    """A share of what a work of the item took, in requests, tokens and tool times.

    first : of the item's works; the others belong to the same rework
    """

    share: float
    work: Work
    first: bool


@dataclass(frozen=True, eq=False)
class Conversation:
    """The context that a request appends to.

    work : whose context
    itself : the work is the request's own, in the round before
    between : steps that lie between the two, each after those of them that it needs; with these
    """

    work: str
    itself: bool
    between: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, eq=False)
class Briefing:
    """A brief, and the requests of its item in their order: the first that is made reads it.

    guard : when the item is done
    requests : with their occurrence within the item, of copies the first; to be filled
    """

    brief: Work
    guard: Guard | None
    requests: list[tuple[Work, Index]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Work:
    """One declared piece of work, however often it occurs.

    step : path of the step, joined by dots
    kind : ``llm``, ``agent``, ``tool``, ``human``, or a coordination mechanism
    model : name of the profile that serves its requests, None if it makes none
    loops : around it
    guard : when it is done; None: always
    reads : the report of a `Reading`, or the brief of its item, if it is the first to make a request
    retry : its attempts, which are the last of `loops`
    conversation : what its request continues
    continued : another request continues it
    ratio : tokens of its model for each that its declaration writes
    """

    step: str
    kind: str
    body: Body
    model: str | None = None
    loops: Loops = ()
    guard: Guard | None = None
    reads: Work | Briefing | None = None
    retry: Retry | None = None
    conversation: Conversation | None = None
    continued: bool = False
    ratio: float = 1.0

    @property
    def coordination(self) -> bool:
        return isinstance(self.body, Message | Merge | Reading | Syncing | Stagger | Rework)

    @property
    def usd(self) -> Decimal | None:
        """US dollars of a call of its tool, None if there is no price."""
        if isinstance(self.body, Rework):
            return self.body.work.usd
        tool = self.body.tool if isinstance(self.body, AgentLoop) else self.body
        return tool.usd if isinstance(tool, Call | Tool) else None


Body = Llm | AgentLoop | Call | Wait | Message | Merge | Reading | Syncing | Stagger | Rework
"""What a work does."""
