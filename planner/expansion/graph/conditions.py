"""Loops around work, and conditions under which work is done or fails, as declared. Nothing is drawn here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Literal

import numpy as np

from planner.reading.estimates.estimate import Estimate


@dataclass(frozen=True, eq=False)
class Loop:
    """A loop around work.

    kind : ``items`` and ``copies`` run side by side, ``rounds`` one after another. Attempts are ``rounds`` too
    path : full name of the step with the fan-out; part of the key of the draws of item sizes
    size : estimate of an item's size, whose draws are divided by its mean; None: sizes are not drawn
    sizes : declared relative size of each item, with mean 1; None: no sizes are declared
    same : number of the item that each row does, if several agents do the same item; None: row k does item k
    race : whether the first copy to finish cancels the other copies
    """

    count: int
    kind: Literal["items", "rounds", "copies"] = "rounds"
    path: str = ""
    size: Estimate | None = None
    sizes: tuple[float, ...] | None = None
    same: tuple[int, ...] | None = None
    race: bool = False

    @property
    def items(self) -> bool:
        return self.kind == "items"


Loops = tuple[Loop, ...]
"""Nested loops, outermost first."""

Index = tuple[int, ...]
"""An occurrence: its number in each loop around it.

In the innermost fan-out the number is `EVERY`: all items of that fan-out are computed together.
"""

EVERY = -1


def innermost_items(loops: Loops) -> int | None:
    """Position of the innermost fan-out in `loops`; None: there is no fan-out."""
    return next((position for position in reversed(range(len(loops))) if loops[position].items), None)


def rows(loops: Loops) -> int:
    """Number of items of the innermost fan-out, which are computed together; 1 without a fan-out."""
    items = innermost_items(loops)
    return 1 if items is None else loops[items].count


def shared_loops(loops: Loops, others: Loops) -> int:
    """Number of loops that two works share. `loops`, `others`: the loops around the first and the second work."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] is pair[1], zip(loops, others, strict=False)))


def occurrences(loops: Loops) -> Iterator[Index]:
    """Yield every occurrence in `loops`. All items of the innermost fan-out are one occurrence."""
    items = innermost_items(loops)
    for index in np.ndindex(*(1 if position == items else loop.count for position, loop in enumerate(loops))):
        yield tuple(EVERY if position == items else int(number) for position, number in enumerate(index))


def drawn_rows(loops: Loops, index: Index) -> tuple[Index, slice]:
    """Return the occurrence at which a quantity is drawn, and the rows of its draws that belong to `index`.

    A quantity is drawn for all items of its innermost fan-out together. Inside a nested fan-out, `index` names a single
    item of the outer fan-out. Then only the row of this item belongs to `index`.

    loops : loops around the quantity; `index` has a number for each of them, and may have more
    """
    around, items = index[: len(loops)], innermost_items(loops)
    if items is None or around[items] == EVERY:
        return around, slice(None)
    row = around[items]
    return (*around[:items], EVERY, *around[items + 1 :]), slice(row, row + 1)


def drawn_index(index: Index) -> tuple[int, ...]:
    """The numbers of an occurrence that are part of the key of its draws: all but `EVERY`."""
    return tuple(number for number in index if number != EVERY)


@dataclass(frozen=True, eq=False)
class Guard:
    """A condition under which work is done. It is decided for each occurrence of the work.

    loops : loops around the guarded work
    parent : the enclosing condition, which must hold too; None: there is none
    """

    loops: Loops
    parent: Guard | None


@dataclass(frozen=True, eq=False)
class ChanceHolds(Guard):
    """Holds if low ≤ u < high. u is a uniform draw with the key `path`, which all branches of a choice share."""

    path: str
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Round(Guard):
    """Holds for a round if every earlier round was rejected. The loop of the rounds is the last of `loops`.

    path : full name of the repeated step
    until : probability that a round is accepted if no step in it fails
    body : outcome of the repeated body, added once the body is expanded; empty if the body cannot fail
    """

    path: str
    until: float
    body: list[Outcome] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Attempt(Guard):
    """Holds for an attempt if every earlier attempt failed. The loop of the attempts is the last of `loops`.

    path : full name of the attempted step
    chance : probability that an attempt fails, apart from timeouts
    timeout : seconds after which an attempt fails; None: an attempt has no timeout
    """

    path: str
    chance: float
    timeout: float | None


@dataclass(frozen=True, eq=False)
class ItemExists(Guard):
    """Holds for an item whose number is below the drawn number of items. The fan-out is the last of `loops`.

    several : whether the condition also requires that at least two items are drawn
    """

    counted: DrawnCount
    several: bool


@dataclass(frozen=True, eq=False)
class ConflictOccurs(Guard):
    """Holds for a conflict if this and every earlier conflict occur. The loop of conflicts is the last of `loops`.

    path : full name of the step with the fan-out
    chance : probability of a conflict with any single other agent
    agents : number of agents that the fan-out keeps busy
    """

    path: str
    chance: float
    agents: BusyAgents


@dataclass(frozen=True, eq=False)
class StepFailed(Guard):
    """Holds if the step with this outcome fails."""

    outcome: Outcome


@dataclass(frozen=True, eq=False)
class DrawnCount:
    """The number of items of a fan-out, drawn from `estimate` and cut at `most`.

    path : full name of the step with the fan-out
    loops : loops around that step
    """

    path: str
    loops: Loops
    estimate: Estimate
    most: int


@dataclass(frozen=True, eq=False)
class BusyAgents:
    """Number of agents that a fan-out keeps busy: `most`, or the drawn number of items if that is smaller.

    counted : the drawn number of items; None: the number of items is fixed
    """

    most: int
    counted: DrawnCount | None


@dataclass(frozen=True, eq=False)
class Outcome:
    """The outcome of a step: everything that decides whether the step fails.

    path : full name of the step
    around : loops around the step
    own : loops of the step itself: items, rounds, copies
    race : whether the copies race, so that a single copy decides. Otherwise the step fails if all copies fail
    guard : condition under which the body is done; None: always
    round : condition of the rounds; None: no round can be rejected
    attempt : condition of the attempts; None: the step has no `retry`
    success : probability that the body succeeds
    inner : outcomes of the steps in the body that may fail and have no fallback
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
    """Whether `guard` holds in every sample in which `given` holds. Without `given`: in which `base` holds.

    True is certain. False only means that these two rules do not show it: first rounds and first attempts always
    happen; a later round, attempt or conflict only happens if all earlier ones happen.

    index, given_index : occurrences of `guard` and `given` in the loops inside the item
    base : guard of the item; an ancestor of `guard` and `given`
    depth : number of loops around the item, including its own fan-out
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
