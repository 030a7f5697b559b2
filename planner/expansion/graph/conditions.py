"""Loops around work, and conditions under which work is done or fails, as declared. Nothing is drawn here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import takewhile
from typing import Literal

import numpy as np

from planner.reading.estimates.estimate import Estimate


@dataclass(frozen=True, eq=False)
class Loop:
    """A loop around work: the items of a fan-out, rounds, attempts or copies.

    count : number of items, rounds, attempts or copies
    kind : ``items``, ``copies`` or ``rounds``. Attempts are ``rounds`` too, because they also run one after another
    path : full name of the fan-out's step; empty for other loops
    size : estimate from which relative item sizes are drawn, divided by its mean; None: sizes are not drawn
    sizes : declared relative size of each item, with mean 1; None: no sizes are declared
    same : index of the item that each member of the loop does, such as (0, 1, 1) if two agents do item 1; None: each
        member is a different item
    race : whether the first copy to finish ends the loop
    together : whether the draws of all copies are computed in one array. False for items, rounds and nested copies
    """

    count: int
    kind: Literal["items", "rounds", "copies"] = "rounds"
    path: str = ""
    size: Estimate | None = None
    sizes: tuple[float, ...] | None = None
    same: tuple[int, ...] | None = None
    race: bool = False
    together: bool = False

    @property
    def items(self) -> bool:
        return self.kind == "items"

    @cached_property
    def sizes_key(self) -> int:
        """A number that is equal for loops whose items have equal sizes; 0 if the items have no sizes."""
        return hash((self.size, self.sizes, self.same)) if self.size or self.sizes else 0

    @property
    def in_one_array(self) -> bool:
        """Whether the draws of all items, or of all copies, of this loop can be computed in one array."""
        return self.items or self.together


Loops = tuple[Loop, ...]
"""Nested loops, outermost first."""

Index = tuple[int, ...]
"""An occurrence of work: a number for each loop around it. For example, (2, 0) is item 2 in round 0."""

EVERY = -1
"""Number in an `Index` that means all items, or all copies, of a loop together. Arrays then have a row for each."""


def innermost_items(loops: Loops) -> int | None:
    """Return the position of the innermost fan-out in `loops`, or None if there is no fan-out."""
    return next((position for position in reversed(range(len(loops))) if loops[position].items), None)


def row_loop(loops: Loops) -> int | None:
    """Return the position of the loop that gives draws their rows: an array of draws has a row for each of its items.

    This loop is the innermost fan-out. Without a fan-out, it is the outermost loop of copies, with a row for each copy.
    Return None if there is neither. Arrays of draws then have a single row.
    """
    return next((position for position in reversed(range(len(loops))) if loops[position].in_one_array), None)


def rows(loops: Loops) -> int:
    """Return the number of rows in an array of draws for work inside `loops`.

    This is the number of items of the innermost fan-out. Without a fan-out, it is the number of copies of the outermost
    loop of copies. It is 1 if there are no copies either.
    """
    position = row_loop(loops)
    return 1 if position is None else loops[position].count


def shared_loops(loops: Loops, others: Loops) -> int:
    """Return the number of loops that two works share.

    loops, others : loops around the first work, and loops around the second work
    """
    return sum(1 for _ in takewhile(lambda pair: pair[0] is pair[1], zip(loops, others, strict=False)))


def occurrences(loops: Loops) -> Iterator[Index]:
    """Yield every occurrence of work inside `loops`. All items of the innermost fan-out are a single occurrence.

    For example, 2 rounds around 3 items yield (0, EVERY) and (1, EVERY). Without a fan-out, all copies of the outermost
    loop of copies are a single occurrence.
    """
    in_rows = row_loop(loops)
    for index in np.ndindex(*(1 if position == in_rows else loop.count for position, loop in enumerate(loops))):
        yield tuple(EVERY if position == in_rows else int(number) for position, number in enumerate(index))


def drawn_rows(loops: Loops, index: Index) -> tuple[Index, slice]:
    """Return an occurrence with all items together, and the slice that selects the rows of `index` from its draws.

    A quantity is drawn for all items of a fan-out in one array. For example, item 3 in round 2 has the index (2, 3).
    The result is (2, EVERY), the occurrence to draw, and a slice that selects only row 3 of the drawn array.

    loops : loops around the quantity
    index : number in each of `loops`. Further numbers are ignored
    """
    around, position = index[: len(loops)], row_loop(loops)
    if position is None or around[position] == EVERY:
        return around, slice(None)
    row = around[position]
    return (*around[:position], EVERY, *around[position + 1 :]), slice(row, row + 1)


def drawn_index(index: Index) -> tuple[int, ...]:
    """Return an occurrence without `EVERY`, such as (2,) for (2, EVERY), as a key for random numbers."""
    return tuple(number for number in index if number != EVERY)


@dataclass(frozen=True, eq=False)
class Guard:
    """A condition under which work is done. It is decided separately for each occurrence of the work.

    loops : loops around the work
    parent : the enclosing condition, which must hold too; None: there is no enclosing condition
    """

    loops: Loops
    parent: Guard | None


@dataclass(frozen=True, eq=False)
class ChanceHolds(Guard):
    """A condition that holds if `low <= u < high`, where `u` is a uniform random number.

    path : key of the random number. All branches of a choice share this key
    """

    path: str
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Round(Guard):
    """A condition for rounds (`repeat`). A round takes place if all earlier rounds were rejected.

    The last of `loops` is the loop of rounds.

    path : full name of the repeated step
    until : probability that a round is accepted if no step in it fails
    body : a list with the outcome that decides whether a round fails; empty if rounds cannot fail. The list is filled
        after the condition is created, when the steps of the round are expanded
    """

    path: str
    until: float
    body: list[Outcome] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Attempt(Guard):
    """A condition for attempts (`retry`). An attempt takes place if all earlier attempts failed.

    The last of `loops` is the loop of attempts.

    path : full name of the attempted step
    chance : probability that an attempt fails, apart from timeouts
    timeout : seconds after which an attempt fails; None: attempts have no timeout
    """

    path: str
    chance: float
    timeout: float | None


@dataclass(frozen=True, eq=False)
class ItemExists(Guard):
    """A condition for items. It holds if the index of the item, from 0, is below the drawn number of items.

    The last of `loops` is the fan-out.

    several : whether the drawn number must also be at least 2
    """

    counted: DrawnCount
    several: bool


@dataclass(frozen=True, eq=False)
class ConflictOccurs(Guard):
    """A condition for a merge conflict of an item. Conflict 2 can only occur if conflicts 0 and 1 occurred before it.

    The last of `loops` is the loop over the possible conflicts of the item.

    path : full name of the step with the fan-out
    chance : probability of a conflict with one other agent
    agents : number of busy agents
    """

    path: str
    chance: float
    agents: BusyAgents


@dataclass(frozen=True, eq=False)
class StepFailed(Guard):
    """A condition that holds if a step fails. `outcome` is the outcome of this step."""

    outcome: Outcome


@dataclass(frozen=True, eq=False)
class DrawnCount:
    """The number of items of a fan-out, drawn from `estimate`. Draws above `most` are cut to `most`.

    path : full name of the step with the fan-out
    loops : loops around this step
    """

    path: str
    loops: Loops
    estimate: Estimate
    most: int


@dataclass(frozen=True, eq=False)
class BusyAgents:
    """The number of agents that a fan-out keeps busy. It is `most` or the number of items, whichever is smaller.

    counted : the drawn number of items; None: the number is fixed and not below `most`
    """

    most: int
    counted: DrawnCount | None


@dataclass(frozen=True, eq=False)
class Outcome:
    """The outcome of a step: everything that decides whether the step fails.

    path : full name of the step
    around : loops around the step
    own : loops of the step itself: items, rounds, copies
    race : whether the copies race. In a race, copy 0 decides. Otherwise the step fails if all copies fail
    guard : condition under which the body of the step runs; None: always
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
        """Whether the step can fail."""
        return self.success < 1 or bool(self.inner) or self.attempt is not None or self.round is not None


def always_holds(
    guard: Guard | None,
    index: Index,
    base: Guard | None,
    depth: int,
    given: Guard | None = None,
    given_index: Index = (),
) -> bool:
    """Whether one condition implies another: `guard` certainly holds in every sample in which `given` holds.

    For example, round 2 of a step implies round 1 of the same step. Two rules are used:

    - The first round and the first attempt always take place.
    - A later round, attempt or conflict implies all earlier ones.

    If the rules prove nothing, return False. `guard` and `given` are conditions of work inside the same item.

    index : occurrence of `guard`, with a number for each loop inside the item
    base : condition under which the whole item is done
    depth : number of loops around the item, including the fan-out of the item
    given : condition that is assumed to hold; None: only `base` is assumed to hold
    given_index : occurrence of `given`, with a number for each loop inside the item
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
