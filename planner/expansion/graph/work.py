"""Work: what a workflow declares to be done, with the loops around it and the conditions under which it is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from planner.expansion.graph.conditions import BusyAgents, Guard, Index, Loops
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
    """The lead reads a report: the input is the report's output."""


@dataclass(frozen=True, eq=False)
class Syncing:
    """An item's share of its crew's syncs. At a sync every agent reads the messages of the others and writes one.

    every : items of the crew between two syncs
    """

    output: Estimate
    every: int
    agents: BusyAgents


@dataclass(frozen=True, eq=False)
class Stagger:
    """Agents start one after another, `seconds` apart."""

    seconds: float


@dataclass(frozen=True, eq=False)
class Rework:
    """Repeats a share of a work of the item: of its requests, tokens and tool times.

    first : it repeats the first of the item's works; the others belong to the same rework
    """

    share: float
    work: Work
    first: bool


@dataclass(frozen=True, eq=False)
class Conversation:
    """The earlier request whose context a request appends to.

    work : step of the earlier request
    itself : it is the same step, in the round before
    between : steps that run between the two, each with the steps among them that it needs, in order of need
    """

    work: str
    itself: bool
    between: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, eq=False)
class Briefing:
    """A brief and the requests of its item, in order: the first one that is made reads the brief.

    guard : when the item is done
    requests : each with its occurrence within the item; of copies, the first copy. Filled in once the item is expanded
    """

    brief: Work
    guard: Guard | None
    requests: list[tuple[Work, Index]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Work:
    """One declared piece of work, with all its occurrences.

    step : path of the step, joined by dots
    kind : ``llm``, ``agent``, ``tool``, ``human``, or a coordination mechanism
    model : name of the profile that serves its requests; None: it makes none
    loops : around it
    guard : when it is done; None: always
    reads : the report that a `Reading` reads, or the briefing of its item, if it makes requests
    retry : its attempts, which are the last of `loops`
    conversation : the context that its request continues
    continued : another request continues its context
    ratio : tokens of its model for each declared token
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
        """US dollars of one call of its tool; None: no price is declared."""
        if isinstance(self.body, Rework):
            return self.body.work.usd
        tool = self.body.tool if isinstance(self.body, AgentLoop) else self.body
        return tool.usd if isinstance(tool, Call | Tool) else None


Body = Llm | AgentLoop | Call | Wait | Message | Merge | Reading | Syncing | Stagger | Rework
"""The declaration of a work's quantities."""
