"""Conditions under which work is done and steps fail, as declared. Nothing is drawn here."""

from __future__ import annotations

from dataclasses import dataclass, field

from planner.expansion.graph.loops import Index, Loops
from planner.reading.estimates.estimate import Estimate


@dataclass(frozen=True, eq=False)
class Guard:
    """A condition on each occurrence of the work that it guards.

    loops : around the guarded work
    parent : the enclosing condition, which must hold too
    """

    loops: Loops
    parent: Guard | None


@dataclass(frozen=True, eq=False)
class ChanceHolds(Guard):
    """Holds if low ≤ u < high, for a uniform draw u of `path`. The branches of a choice share one draw."""

    path: str
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Round(Guard):
    """Holds in a round if every earlier round was rejected. Its loop is the last of `loops`.

    until : probability that a round is accepted if nothing in it failed
    body : outcome of the repeated body, added once it is expanded; empty if the body cannot fail
    """

    path: str
    until: float
    body: list[Outcome] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Attempt(Guard):
    """Holds for an attempt if every earlier attempt failed. Its loop is the last of `loops`.

    chance : probability that an attempt fails
    timeout : seconds after which an attempt of the step `path` fails
    """

    path: str
    chance: float
    timeout: float | None


@dataclass(frozen=True, eq=False)
class ItemExists(Guard):
    """Holds for the items below the drawn number. Its loop, over all items, is the last of `loops`.

    several : it also requires that at least two items are drawn
    """

    counted: DrawnCount
    several: bool


@dataclass(frozen=True, eq=False)
class ConflictOccurs(Guard):
    """Holds for a conflict if it and every earlier one occur. Its loop is the last of `loops`.

    chance : of a conflict with each of the other agents
    agents : of the crew
    """

    path: str
    chance: float
    agents: BusyAgents


@dataclass(frozen=True, eq=False)
class StepFailed(Guard):
    """Holds if a step fails."""

    outcome: Outcome


@dataclass(frozen=True, eq=False)
class DrawnCount:
    """A drawn number of items, at most `most`. `loops` are around the fan-out `path`."""

    path: str
    loops: Loops
    estimate: Estimate
    most: int


@dataclass(frozen=True, eq=False)
class BusyAgents:
    """Number of agents that a fan-out keeps busy: `most`, or the drawn number of items if that is smaller."""

    most: int
    counted: DrawnCount | None


@dataclass(frozen=True, eq=False)
class Outcome:
    """Whether a step fails.

    around : loops around the step
    own : loops of the step itself: items, rounds, copies
    race : of its copies the first to finish counts, not the best
    guard : when its body is done
    round : condition of its rounds, if they may be rejected
    attempt : condition of its attempts, if they may fail
    success : probability that its body succeeds
    inner : outcomes of the steps within it
    """

    path: str
    around: Loops
    own: Loops
    race: bool
    guard: Guard | None
    round: Round | None
    attempt: Attempt | None
    success: float
    inner: tuple[Outcome, ...]

    @property
    def possible(self) -> bool:
        """Whether the step can fail at all."""
        return self.success < 1 or bool(self.inner) or self.attempt is not None or self.round is not None


def always_holds(
    guard: Guard | None,
    index: Index,
    base: Guard | None,
    depth: int,
    given: Guard | None = None,
    given_index: Index = (),
) -> bool:
    """Whether `guard` holds in every sample in which `given` holds; without `given`, in which `base` holds.

    The answer may be False although it always holds, never the reverse. First rounds and first attempts always happen.
    A later round, attempt or conflict only happens after all earlier ones.

    index, given_index : occurrences of `guard` and `given` in the loops within the item
    base : guard of the item, an ancestor of both
    depth : number of loops around the item
    """
    holding: dict[Guard, Index] = {}
    while given is not None and given is not base:
        holding[given] = given_index[: len(given.loops) - depth]
        given = given.parent
    while guard is not base:
        assert guard is not None
        guard_index = index[: len(guard.loops) - depth]
        if guard in holding:
            held = holding[guard]
            in_turn = isinstance(guard, Round | Attempt | ConflictOccurs)
            if guard_index == held or (in_turn and guard_index[:-1] == held[:-1] and guard_index <= held):
                return True
        if not isinstance(guard, Round | Attempt) or guard_index[-1] != 0:
            return False
        guard = guard.parent
    return True
