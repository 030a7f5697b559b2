"""Work that a workflow declares, with the loops around it and the conditions under which it is done."""

from __future__ import annotations

from dataclasses import dataclass, field

from planner.expansion.graph.conditions import BusyAgents, Guard, Index, Loops
from planner.reading.estimates.estimate import Estimate
from planner.reading.pay import Pay
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
    """A request in which the lead reads the report of an agent. Its input is the text of the report."""


@dataclass(frozen=True, eq=False)
class Syncing:
    """The share of one item in the syncs of its crew.

    At a sync, every agent writes a message and reads the messages of all other agents.

    output : tokens of a message
    every : number of items that the crew does between two syncs
    agents : number of agents that take part
    """

    output: Estimate
    every: int
    agents: BusyAgents


@dataclass(frozen=True, eq=False)
class Stagger:
    """The delayed start of agents: they start one after another, `seconds` apart."""

    seconds: float


@dataclass(frozen=True, eq=False)
class Rework:
    """The repetition of a piece of work after a conflict. An item has a `Rework` for each repeated piece of work.

    share : repeated share of the requests, tokens and tool times
    work : the repeated piece of work
    first : whether this is the first `Rework` of the item
    """

    share: float
    work: Work
    first: bool


@dataclass(frozen=True, eq=False)
class Conversation:
    """A conversation: a later request continues the context of an earlier request.

    work : full name of the step that makes the earlier request
    itself : whether one step makes both requests: the later request in the round after the earlier request
    between : steps between the two requests, in order. Each entry is a pair: the full name of a step, and the names of
        the steps in `between` that it needs
    in_turn : whether the steps in `between` run one after another instead of side by side
    unneeded : full names of the steps that may still run in a round when the round's request starts; empty if two
        different steps make the requests
    """

    work: str
    itself: bool
    between: tuple[tuple[str, tuple[str, ...]], ...]
    in_turn: bool
    unneeded: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Briefing:
    """The brief of an item: a message that the lead writes to the agent of the item. The item's first request reads it.

    guard : condition under which the item is carried out; None: always
    requests : requests of the item in order, each with its occurrence inside the item. Of several copies, only the
        first is listed. The list is filled when the item is expanded
    """

    brief: Work
    guard: Guard | None
    requests: list[tuple[Work, Index]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Work:
    """A declared piece of work. It has an occurrence for each item, round, attempt and copy around it.

    step : full name of the step: the names on its path, joined by dots
    kind : ``llm``, ``agent``, ``tool``, ``human``, or a coordination mechanism
    model : name of the profile that serves the requests; None: the work makes no requests
    loops : loops around the work
    guard : condition under which the work is done; None: always
    reads : message that the work may read: a report or the brief of its item; None: there is no message
    retry : declaration of attempts, whose loop is then the last of `loops`; None: there is a single attempt
    conversation : conversation that the work continues; None: the work continues no conversation
    continued : whether a later request continues the conversation of this work
    ratio : number of tokens of the model for each declared token
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
    def pay(self) -> Pay | None:
        """Pay of the tool or the person of this work; None: no pay is declared."""
        if isinstance(self.body, Rework):
            return self.body.work.pay
        body = self.body.tool if isinstance(self.body, AgentLoop) else self.body
        return body.usd if isinstance(body, Call | Tool | Wait) else None


Body = Llm | AgentLoop | Call | Wait | Message | Merge | Reading | Syncing | Stagger | Rework
"""The declaration of the quantities of a `Work`."""
