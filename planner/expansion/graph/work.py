"""Work that a workflow declares, with the loops around it and the conditions under which it is done."""

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
    """The lead reads a report. The input of this request is the output of the report."""


@dataclass(frozen=True, eq=False)
class Syncing:
    """An item's share of its crew's syncs. At a sync every agent writes a message and reads those of all other agents.

    output : tokens of a message
    every : number of items that the crew does between two syncs
    agents : agents that take part
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
    """Rework of one work of an item. It repeats a share of the work's requests, tokens and tool times.

    The rework of an item has one `Rework` for each work that it repeats.

    first : whether `work` is the first of these works
    """

    share: float
    work: Work
    first: bool


@dataclass(frozen=True, eq=False)
class Conversation:
    """The earlier request whose context a request appends to.

    work : full name of the step that makes the earlier request
    itself : whether the same step makes both requests, the earlier one in the previous round
    between : the steps between the two requests, in order. After each step come the names of the steps that it needs,
        if they are between the requests too
    """

    work: str
    itself: bool
    between: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, eq=False)
class Briefing:
    """A brief and the requests of its item, in order. The first request that is made reads the brief.

    guard : condition under which the item is done; None: always
    requests : each request with its occurrence inside the item; of several copies, only the first. The list is filled
        once the item is expanded
    """

    brief: Work
    guard: Guard | None
    requests: list[tuple[Work, Index]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Work:
    """One declared piece of work, with all its occurrences.

    step : full name of the step: the names on its path, joined by dots
    kind : ``llm``, ``agent``, ``tool``, ``human``, or a coordination mechanism
    model : name of the profile that serves its requests; None: the work makes no requests
    loops : loops around the work
    guard : condition under which the work is done; None: always
    reads : the report that a `Reading` reads, or the briefing of the item that the work belongs to; None: neither
    retry : declaration of its attempts, whose loop is the last of `loops`; None: a single attempt
    conversation : the earlier request whose context its request continues; None: its request starts a conversation
    continued : whether another request continues its context
    ratio : number of tokens of its model for each declared token
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
