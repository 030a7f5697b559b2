"""When things are done, and when they fail: what the declaration says of it, before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field

from planner.expansion.graph.loops import Index, Loops
from planner.reading.estimates.estimate import Estimate


@dataclass(frozen=True, eq=False)
class Guard:
    """A condition, for each occurrence of what it guards.

    loops : around what it guards
    parent : the condition around it, which must hold too
    """

    loops: Loops
    parent: Guard | None


@dataclass(frozen=True, eq=False)
class ChanceHolds(Guard):
    """Holds where low ≤ u < high for a uniform draw u of `path`; branches of one choice share it."""

    path: str
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Round(Guard):
    """Holds in a round if every round before was rejected; its loop is the last of `loops`.

    until : chance that a round is accepted in which nothing failed
    body : outcome of what a round does, once it is known; none if it cannot fail
    """

    path: str
    until: float
    body: list[Outcome] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Attempt(Guard):
    """Holds for an attempt if every attempt before failed; its loop is the last of `loops`.

    chance : that an attempt fails
    timeout : seconds after which an attempt of the step `path` fails
    """

    path: str
    chance: float
    timeout: float | None


@dataclass(frozen=True, eq=False)
class ItemExists(Guard):
    """Holds for as many items, the last of `loops`, as are drawn; `several`: and only if there are two or more."""

    counted: Counted
    several: bool


@dataclass(frozen=True, eq=False)
class ConflictOccurs(Guard):
    """Holds for a conflict if every one before, and this one, is found; its loop is the last of `loops`.

    chance : for each peer
    agents : of the crew
    """

    path: str
    chance: float
    agents: Agents


@dataclass(frozen=True, eq=False)
class StepFailed(Guard):
    """Holds where a step fails."""

    outcome: Outcome


@dataclass(frozen=True, eq=False)
class Counted:
    """A number of items that is drawn, at most `most`; `loops` are around the fan-out `path`."""

    path: str
    loops: Loops
    estimate: Estimate
    most: int


@dataclass(frozen=True, eq=False)
class Agents:
    """How many agents of a crew a fan-out keeps busy: `most`, or as many as there are items if these are fewer."""

    most: int
    counted: Counted | None


@dataclass(frozen=True, eq=False)
class Outcome:
    """Whether a step fails.

    around : loops around the step
    own : those of the step itself: items, rounds, copies
    first : of copies the first to end counts, not the best
    guard : when its body is done
    until : its last round, where rounds may be rejected
    attempt : its last attempt, where attempts may fail
    success : chance that its body succeeds
    inner : of what is within it
    """

    path: str
    around: Loops
    own: Loops
    first: bool
    guard: Guard | None
    until: Round | None
    attempt: Attempt | None
    success: float
    inner: tuple[Outcome, ...]

    @property
    def possible(self) -> bool:
        """Whether it can fail at all."""
        return self.success < 1 or bool(self.inner) or self.attempt is not None or self.until is not None


def always(
    guard: Guard | None, inner: Index, base: Guard | None, depth: int, where: Guard | None = None, at: Index = ()
) -> bool:
    """Whether `guard` holds wherever the guard `where` does, or else wherever `base` does.

    First rounds are always run, and first attempts always made; of rounds, attempts and conflicts one is only there
    where all before it are.

    base : of the item, around both
    inner, at : occurrences of what `guard` and `where` guard in the loops within the item, of which `depth` are around
    """
    known: dict[Guard, Index] = {}
    while where is not None and where is not base:
        known[where] = at[: len(where.loops) - depth]
        where = where.parent
    while guard is not base:
        assert guard is not None
        own = inner[: len(guard.loops) - depth]
        if guard in known:
            there = known[guard]
            follows = isinstance(guard, Round | Attempt | ConflictOccurs) and own[:-1] == there[:-1] and own <= there
            if own == there or follows:
                return True
        if not isinstance(guard, Round | Attempt) or own[-1] != 0:
            return False
        guard = guard.parent
    return True
